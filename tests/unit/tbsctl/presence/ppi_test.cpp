#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/presence/commands.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;

namespace {

struct Presence : RecordedDaemon {
  void answer_words(std::initializer_list<std::uint32_t> words) {
    proto::Buffer output;
    proto::ByteWriter writer(output);
    for (const std::uint32_t word : words) writer.le32(word);
    answer(proto::PhysicalPresenceReply{.output = output});
  }

  Outcome run(bool json = false) {
    const Console at = console(json);
    return subcommand.run({.console = at, .daemon = &daemon});
  }

  void give(std::string_view option, const std::string& value) {
    const auto found = std::ranges::find(subcommand.options, option, &Option::name);
    REQUIRE(found != subcommand.options.end());
    REQUIRE(found->read(value).has_value());
  }

  Subcommand subcommand = ppi_subcommand();
};

}  // namespace

TEST_CASE_METHOD(Presence, "the firmware's interface in words", "[tbsctl][ppi]") {
  const proto::Buffer version{'1', '.', '3', 0x1B, 0};
  answer(proto::PhysicalPresenceReply{.output = version});
  answer_words({0, 5});
  answer_words({2});
  answer_words({0, 23, 0xFFFFFFF0});
  answer(proto::DeviceInfoReply{.tpm_version = 2});
  REQUIRE(run().has_value());
  const std::string text = out.str();
  CHECK(text.find("Version:            1.3?\n") != text.npos);
  CHECK(text.find("Pending operation:  clear (5)\n") != text.npos);
  CHECK(text.find("Required to apply:  restart\n") != text.npos);
  CHECK(text.find("Last operation:     set PCR banks (23)\n") != text.npos);
  CHECK(text.find("Result:             the user said no, or nothing\n") != text.npos);
}

TEST_CASE_METHOD(Presence, "an operation is confirmed first", "[tbsctl][ppi]") {
  give("--submit", "clear");
  const auto refused = subcommand.prepare();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().exit == Exit::Usage);
  CHECK(refused.error().message.find("--yes") != std::string::npos);
  give("--yes", "");
  CHECK(subcommand.prepare().has_value());
  answer_words({3});
  answer_words({0});
  answer_words({2});
  REQUIRE(run().has_value());
  CHECK(out.str() ==
        "operation 5 is pending: allowed when a user confirms; required to apply: restart\n");
  CHECK(notes.str().find("warning") != std::string::npos);
}

TEST_CASE_METHOD(Presence, "taking an operation back needs no confirmation", "[tbsctl][ppi]") {
  give("--submit", "none");
  CHECK(subcommand.prepare().has_value());
  answer_words({4});
  answer_words({0});
  answer_words({0});
  REQUIRE(run().has_value());
  CHECK(notes.str().empty());
}

TEST_CASE_METHOD(Presence, "what the firmware does not take", "[tbsctl][ppi]") {
  give("--submit", "99");
  give("--yes", "");
  answer_words({0});
  answer_words({1});
  const auto outcome = run();
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().exit == Exit::Failed);
  CHECK(outcome.error().message ==
        "the firmware did not take operation 99 (not supported); it is not implemented");
}

TEST_CASE_METHOD(Presence, "an answer that is too short", "[tbsctl][ppi]") {
  const proto::Buffer version{'1'};
  answer(proto::PhysicalPresenceReply{.output = version});
  answer_words({0});
  CHECK(run().error().exit == Exit::Failed);
}
