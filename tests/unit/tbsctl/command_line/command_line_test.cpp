#include "client/tbsctl/command_line/command_line.h"

#include <vector>

#include "client/tbsctl/command_line/suggestion.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;

namespace {

auto parse(std::vector<const char*> arguments, std::ostream& out) {
  arguments.insert(arguments.begin(), "tbsctl");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data(), out);
}

auto parse(std::vector<const char*> arguments) {
  std::ostringstream out;
  return parse(std::move(arguments), out);
}

std::string usage_error(std::vector<const char*> arguments) {
  const auto line = parse(std::move(arguments));
  REQUIRE_FALSE(line.has_value());
  CHECK(line.error().exit == Exit::Usage);
  CHECK(line.error().message.find('\n') == std::string::npos);
  return line.error().message;
}

struct Running : RecordedDaemon {
  Outcome run(std::vector<const char*> arguments) {
    const auto line = parse(std::move(arguments));
    REQUIRE(line.has_value());
    const Subcommand& subcommand = (*line)->subcommand;
    if (subcommand.prepare) {
      if (auto ready = subcommand.prepare(); !ready) return ready;
    }
    const Console at = console((*line)->json);
    return subcommand.run({.console = at, .daemon = &daemon, .socket = {}});
  }
};

}  // namespace

TEST_CASE("options of all subcommands stand before and after them", "[tbsctl][command_line]") {
  const auto contexts = parse({"--socket", "/s", "contexts", "--json"});
  REQUIRE(contexts.has_value());
  CHECK((*contexts)->title == "contexts");
  CHECK((*contexts)->json);
  CHECK((*contexts)->socket == "/s");
  CHECK((*parse({"--device", "tpm1", "status"}))->socket == "/run/tbs/tpm1.sock");
  CHECK((*parse({"status", "--device=/dev/tpm12"}))->socket == "/run/tbs/tpm12.sock");
  CHECK((*parse({"policy", "check", "--json"}))->title == "policy check");
  CHECK((*parse({"policy", "check", "--json"}))->json);
}

TEST_CASE_METHOD(Running, "options reach what runs", "[tbsctl][command_line]") {
  SECTION("a number") {
    answer(proto::CancelContextReply{});
    REQUIRE(run({"cancel", "17"}).has_value());
    CHECK(request<proto::CancelContext>(0).context == 17);
  }
  SECTION("words, a name and a number") {
    const proto::Buffer response = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0};
    answer(proto::Result{.response = response});
    REQUIRE(run({"submit", "80010000", "000c:0000017b", "0010", "--priority", "high", "--locality",
                 "3"})
                .has_value());
    const auto sent = request<proto::Submit>(0);
    CHECK(sent.command.size() == 12);
    CHECK(sent.priority == 300);
    CHECK(sent.locality == 3);
  }
  SECTION("a user") {
    answer(proto::LockoutResetReply{});
    REQUIRE(run({"lockout", "--reset", "--uid", "root"}).has_value());
    CHECK(request<proto::LockoutReset>(0).uid == 0);
  }
  SECTION("no user") {
    answer(proto::LockoutResetReply{});
    REQUIRE(run({"lockout", "--reset"}).has_value());
    CHECK(request<proto::LockoutReset>(0).uid == proto::kNobody);
  }
}

TEST_CASE_METHOD(Running, "what is wrong is found before tbsd is asked", "[tbsctl][command_line]") {
  for (const std::vector<const char*>& wrong : {
           std::vector{"submit"},
           {"cancel"},
           {"cancel", "7", "--pid", "8"},
           {"submit", "8001", "-f", "x"},
           {"submit", "8001"},
           {"submit", "zz"},
           {"ppi", "--submit", "clear"},
       }) {
    const auto outcome = run(wrong);
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().exit == Exit::Usage);
  }
  CHECK(run({"submit", "-f", "/nonexistent/file"}).error().exit == Exit::Failed);
  CHECK(recorded.requests.empty());
}

TEST_CASE("wrong usage is told in one line with its own exit code", "[tbsctl][command_line]") {
  const std::vector<std::vector<const char*>> wrong = {
      {},
      {"bogus"},
      {"info", "status"},
      {"info", "--bogus"},
      {"cancel", "x"},
      {"cancel", "-3"},
      {"random", "0"},
      {"random", "99999999999999999999"},
      {"random", "8", "--raw", "--json"},
      {"--json", "submit", "8001", "--raw"},
      {"submit", "8001", "--priority", "urgent"},
      {"submit", "8001", "--locality", "-1"},
      {"lockout", "--uid", "1"},
      {"lockout", "--reset", "--uid", "no such user"},
      {"policy"},
      {"policy", "explain", "no such user", "Clear"},
      {"policy", "explain", "0", "NoSuchCommand"},
      {"bridge", "--protocol", "tls", "1"},
      {"bridge", "nowhere"},
      {"bridge", "--mode", "999", "1"},
      {"--device", "../tpm1", "status"},
      {"--device", "tpm1", "--socket", "/s", "status"},
  };
  for (const auto& arguments : wrong) {
    CAPTURE(arguments);
    CHECK(usage_error(arguments).ends_with("--help`"));
  }
}

TEST_CASE("wrong usage names the help to read, and the choices", "[tbsctl][command_line]") {
  CHECK(usage_error({"bogus"}).ends_with("see `tbsctl --help`"));
  CHECK(usage_error({"cancel", "x"}).ends_with("see `tbsctl cancel --help`"));
  CHECK(usage_error({"bridge", "--protocol", "tls", "1"}).find("raw, mssim, swtpm") !=
        std::string::npos);
  CHECK(usage_error({"submit", "80", "--priority", "urgent"})
            .find("low, normal, high, system, max") != std::string::npos);
}

TEST_CASE("a mistyped subcommand is guessed", "[tbsctl][command_line]") {
  CHECK(usage_error({"statsu"}).contains("; did you mean `status`?; see `tbsctl --help`"));
  CHECK(usage_error({"--json", "contxts"}).contains("did you mean `contexts`?"));
  CHECK(usage_error({"--socket", "status", "cancle", "7"}).contains("did you mean `cancel`?"));
  CHECK(usage_error({"policy", "chek"}).contains("did you mean `check`?"));
  CHECK_FALSE(usage_error({"bogus"}).contains("did you mean"));
  CHECK_FALSE(usage_error({"status", "statsu"}).contains("did you mean"));
}

TEST_CASE("the nearest word", "[tbsctl][command_line]") {
  const std::vector<std::string> words = {"status", "contexts", "cancel", "pcr", "ppi"};
  CHECK(nearest_word("stats", words) == "status");
  CHECK(nearest_word("sttaus", words) == "status");
  CHECK(nearest_word("pcrs", words) == "pcr");
  CHECK(nearest_word("ppr", words) == std::nullopt);  // pcr or ppi
  CHECK(nearest_word("x", words) == std::nullopt);
  CHECK(nearest_word("", words) == std::nullopt);
  CHECK(nearest_word(std::string(1000, 's'), words) == std::nullopt);
}

TEST_CASE("help and version are printed and end it well", "[tbsctl][command_line]") {
  std::ostringstream help;
  const auto ended = parse({"submit", "--help"}, help);
  REQUIRE(ended.has_value());
  CHECK_FALSE(ended->has_value());
  CHECK(help.str().find("Examples:") != std::string::npos);
  std::ostringstream version;
  REQUIRE(parse({"--version"}, version).has_value());
  CHECK(version.str().starts_with("tbsctl "));
  CHECK(version.str().find("\nfeatures: ") != std::string::npos);
}
