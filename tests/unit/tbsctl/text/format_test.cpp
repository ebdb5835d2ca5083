#include "client/tbsctl/text/format.h"

#include <sstream>

#include "client/tbsctl/text/number.h"
#include "client/tbsctl/text/priority.h"
#include "client/tbsctl/text/table.h"
#include "client/tbsctl/tpm/command_name.h"
#include "tests/support/catch2.h"

using namespace tbs::ctl;

TEST_CASE("durations have at most two units", "[tbsctl][format]") {
  CHECK(duration(0) == "0 us");
  CHECK(duration(999) == "999 us");
  CHECK(duration(1000) == "1 ms");
  CHECK(duration(999'999) == "999 ms");
  CHECK(duration(1'250'000) == "1.2 s");
  CHECK(duration(59'999'999) == "59.9 s");
  CHECK(duration(185'000'000) == "3 min 5 s");
  CHECK(duration(7'500'000'000) == "2 h 5 min");
  CHECK(duration(273'600'000'000) == "3 d 4 h");
}

TEST_CASE("a program's name cannot steer the terminal", "[tbsctl][format]") {
  CHECK(printable("tpm2_sign") == "tpm2_sign");
  CHECK(printable("a\x1b[2Jb\n\x7f\xff") == "a?[2Jb???");
}

TEST_CASE("priorities have names or are numbers", "[tbsctl][format]") {
  CHECK(priority_text(200) == "normal");
  CHECK(priority_text(0x80000000U) == "max");
  CHECK(priority_text(150) == "150");
  CHECK(parse_priority("system") == 400U);
  CHECK(parse_priority("max") == 0x80000000U);
  CHECK(parse_priority("0") == 0U);
  CHECK(parse_priority("0x12C") == 300U);
  for (const char* text : {"", "0x", "urgent", "-1", "+1", " 1", "1 ", "4294967296", "LOW"}) {
    INFO(text);
    CHECK_FALSE(parse_priority(text).has_value());
  }
}

TEST_CASE("numbers are read without wrapping around", "[tbsctl][format]") {
  CHECK(parse_number<std::uint64_t>("18446744073709551615") == 18446744073709551615ULL);
  CHECK_FALSE(parse_number<std::uint64_t>("18446744073709551616").has_value());
  CHECK_FALSE(parse_number<std::uint32_t>("-1").has_value());
}

TEST_CASE("commands and codes are shown by name or in hexadecimal", "[tbsctl][format]") {
  CHECK(hex32(0x1AF) == "0x000001AF");
  CHECK(command_name(0x17B) == "GetRandom");
  CHECK(command_name(0x11F) == "NV_UndefineSpaceSpecial");
  CHECK(command_name(0x46) == "0x00000046");
}

TEST_CASE("numbers of the device that are not known do not go out of bounds", "[tbsctl][format]") {
  CHECK(tpm_version_text(2) == "2.0");
  CHECK(tpm_version_text(3) == "unknown");
  CHECK(interface_text(4) == "emulator");
  CHECK(interface_text(0xFFFFFFFF) == "unknown");
  CHECK(device_state_text(static_cast<tbs::proto::DeviceState>(9)) == "unknown");
}

TEST_CASE("tables are aligned and have no blanks at the end of a line", "[tbsctl][table]") {
  Table table({{"ID", Align::Right}, {"NAME"}, {"N", Align::Right}, {"NOTE"}});
  table.add({"1", "short", "12345", ""});
  table.add({"1000", "a longer one", "1", "x"});
  std::ostringstream out;
  table.print(out);
  CHECK(out.str() ==
        "  ID  NAME              N  NOTE\n"
        "   1  short         12345\n"
        "1000  a longer one      1  x\n");
}

TEST_CASE("properties are printed below each other", "[tbsctl][table]") {
  std::ostringstream out;
  print_properties(out, {{"A", "1"}, {"Longer", "2"}});
  CHECK(out.str() == "A:       1\nLonger:  2\n");
}
