#include "client/tbsctl/text/hex.h"

#include "tests/support/catch2.h"

using namespace tbs::ctl;
using tbs::proto::Buffer;

TEST_CASE("hexadecimal text is read however it is written", "[tbsctl][hex]") {
  const Buffer expected = {0x80, 0x01, 0xAB, 0x0c};
  for (const char* text : {"8001ab0c", "80 01 AB 0C", "80:01:ab:0c", "0x8001AB0c",
                           "0x80, 0x01,\n0Xab,\t0x0c\n", "  8001\r\n  ab0c  "}) {
    INFO(text);
    const auto bytes = parse_hex(text);
    REQUIRE(bytes.has_value());
    CHECK(*bytes == expected);
  }
  CHECK(parse_hex("")->empty());
  CHECK(parse_hex(" \n ")->empty());
}

TEST_CASE("a fault in hexadecimal text is located", "[tbsctl][hex]") {
  CHECK(parse_hex("80g1").error() == "not hexadecimal at character 3: 'g' is no digit");
  CHECK(parse_hex("80 1").error() ==
        "not hexadecimal at character 4: a group of 1 digits is no whole byte");
  CHECK(parse_hex("8001\n00:zz").error() ==
        "not hexadecimal at line 2, character 4: 'z' is no digit");
  CHECK(parse_hex("0x").error() == "not hexadecimal at character 3: digits are missing after 0x");
  CHECK(parse_hex("80x1").error() == "not hexadecimal at character 3: 'x' is no digit");
  // A newline at the end makes no lines, and a control character is not printed.
  CHECK(parse_hex("80\x1b[\n").error() == "not hexadecimal at character 3: '?' is no digit");
}

TEST_CASE("bytes are printed so that they can be read back", "[tbsctl][hex]") {
  Buffer all;
  for (unsigned i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
  CHECK(to_hex(all).starts_with("000102"));
  CHECK(to_hex(all).ends_with("fdfeff"));
  CHECK(parse_hex(to_hex(all)) == all);
  CHECK(to_hex({}).empty());
}
