#include "client/tbsctl/command_line/options.h"

#include <sstream>
#include <vector>

#include <catch2/catch.hpp>

#include "client/tbsctl/tpm/command_bytes.h"

using namespace tbs::ctl;

namespace {

auto parse(std::vector<const char*> arguments, std::ostream& out) {
  arguments.insert(arguments.begin(), "tbsctl");
  return parse_options(static_cast<int>(arguments.size()), arguments.data(), out);
}

auto parse(std::vector<const char*> arguments) {
  std::ostringstream out;
  return parse(std::move(arguments), out);
}

}  // namespace

TEST_CASE("subcommands and their options are read", "[tbsctl][options]") {
  const auto contexts = parse({"--socket", "/s", "contexts", "--json"});
  REQUIRE(contexts.has_value());
  CHECK((*contexts)->command == Command::Contexts);
  CHECK((*contexts)->json);
  CHECK((*contexts)->socket == "/s");
  CHECK((*parse({"--device", "tpm1", "status"}))->socket == "/run/tbs/tpm1.sock");
  CHECK((*parse({"status", "--device=/dev/tpm12"}))->socket == "/run/tbs/tpm12.sock");
  CHECK_FALSE(parse({"--device", "../tpm1", "status"}).has_value());
  CHECK_FALSE(parse({"--device", "tpm1", "--socket", "/s", "status"}).has_value());
  CHECK((*parse({"cancel", "17"}))->context == 17);
  CHECK((*parse({"random", "0x20", "--raw"}))->count == 32);

  const auto submit = parse({"submit", "80", "01:00", "--priority", "high", "--locality", "3"});
  REQUIRE(submit.has_value());
  CHECK((*submit)->hex == "80 01:00");
  CHECK((*submit)->priority == 300);
  CHECK((*submit)->locality == 3);
  CHECK((*parse({"submit", "-"}))->file == "-");
  CHECK((*parse({"submit", "-f", "x.bin"}))->file == "x.bin");
}

TEST_CASE("wrong usage is told in one line with its own exit code", "[tbsctl][options]") {
  const std::vector<std::vector<const char*>> wrong = {
      {},
      {"bogus"},
      {"info", "status"},
      {"info", "--bogus"},
      {"cancel"},
      {"cancel", "x"},
      {"cancel", "-3"},
      {"random", "0"},
      {"random", "99999999999999999999"},
      {"random", "8", "--raw", "--json"},
      {"submit"},
      {"submit", "8001", "-f", "x"},
      {"submit", "8001", "--priority", "urgent"},
      {"submit", "8001", "--locality", "-1"},
  };
  for (const auto& arguments : wrong) {
    const auto options = parse(arguments);
    REQUIRE_FALSE(options.has_value());
    INFO(options.error().message);
    CHECK(options.error().exit == Exit::Usage);
    CHECK(options.error().message.find('\n') == std::string::npos);
    CHECK(options.error().message.ends_with("see `tbsctl --help`"));
  }
}

TEST_CASE("help and version are printed and end it well", "[tbsctl][options]") {
  std::ostringstream help;
  const auto ended = parse({"submit", "--help"}, help);
  REQUIRE(ended.has_value());
  CHECK_FALSE(ended->has_value());
  CHECK(help.str().find("Examples:") != std::string::npos);
  std::ostringstream version;
  REQUIRE(parse({"--version"}, version).has_value());
  CHECK(version.str().starts_with("tbsctl "));
}

TEST_CASE("only a whole TPM command is sent", "[tbsctl][submit]") {
  CHECK(command_from_hex("80010000000c0000017b0010")->size() == 12);
  const auto too_short = command_from_hex("8001");
  CHECK(too_short.error().exit == Exit::Usage);
  CHECK(too_short.error().message ==
        "not a TPM command: it has 2 bytes, the header alone takes 10");
  CHECK(command_from_hex("80010000000c0000017b").error().message ==
        "not a TPM command: its header says 12 bytes, there are 10");
  CHECK(command_from_hex(std::string(2 * 16385, '0')).error().message ==
        "the TPM command is too large: more than 16384 bytes");
  CHECK(command_from_file("/nonexistent/file").error().exit == Exit::Failed);
}

TEST_CASE("lockout and policy have options of their own", "[tbsctl][options]") {
  const auto shown = parse({"lockout"});
  REQUIRE(shown.has_value());
  CHECK((*shown)->command == Command::Lockout);
  const auto reset = parse({"lockout", "--reset", "--uid", "1001"});
  REQUIRE(reset.has_value());
  CHECK((*reset)->command == Command::LockoutReset);
  CHECK((*reset)->uid == 1001);
  const auto check = parse({"policy", "check", "--dir", "/rules"});
  REQUIRE(check.has_value());
  CHECK((*check)->command == Command::PolicyCheck);
  CHECK((*check)->question.folder == "/rules");
  const auto explain = parse({"policy", "explain", "1001", "Clear", "--unit", "a.service"});
  REQUIRE(explain.has_value());
  CHECK((*explain)->command == Command::PolicyExplain);
  CHECK((*explain)->uid == 1001);
  CHECK((*explain)->question.command == "Clear");
  CHECK((*explain)->question.unit == "a.service");
  CHECK_FALSE(parse({"policy"}).has_value());
  CHECK_FALSE(parse({"policy", "explain", "alice", "Clear"}).has_value());
}
