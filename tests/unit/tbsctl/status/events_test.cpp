#include <nlohmann/json.hpp>

#include "client/tbsctl/status/commands.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;

namespace {

// 2026-03-01, 12 o'clock (UTC).
constexpr std::uint64_t kNoon = 1'772'366'400'000'000;

proto::EventEntry blocked(std::uint64_t number) {
  return {.number = number,
          .event = 4,
          .severity = 4,
          .uid = 1000,
          .pid = 12,
          .context = 7,
          .command = 0x17B,
          .program = "tool",
          .tenant = "",
          .rule = "a.conf:3",
          .text = "blocked\x1b[31m"};
}

proto::EventEntry newer(std::uint64_t number) {
  return {.number = number, .event = 9999, .program = "", .tenant = "", .rule = "", .text = "new"};
}

}  // namespace

TEST_CASE_METHOD(RecordedDaemon, "events for people", "[tbsctl][events]") {
  answer(proto::EventList{.entries = {blocked(kNoon + 1000), newer(kNoon + 2000)}});
  REQUIRE(run_events(daemon, console(), {.utc = true, .names = {}}).has_value());
  CHECK(out.str() ==
        "2026-03-01T12:00:00.001000Z  blocked: blocked?[31m\n"
        "2026-03-01T12:00:00.002000Z  event 9999: new\n");
}

TEST_CASE_METHOD(RecordedDaemon, "events in JSON, one a line", "[tbsctl][events]") {
  answer(proto::EventList{.more = 1, .entries = {blocked(kNoon)}});
  answer(proto::EventList{.lost = 1, .entries = {newer(kNoon + 5)}});
  REQUIRE(run_events(daemon, console(true), {.names = {}}).has_value());
  std::istringstream lines(out.str());
  std::string line;
  std::getline(lines, line);
  const auto first = nlohmann::json::parse(line);
  CHECK(first["time"] == "2026-03-01T12:00:00.000000Z");
  CHECK(first["event"] == "blocked");
  CHECK(first["severity"] == "warning");
  CHECK(first["uid"] == 1000);
  CHECK(first["command"]["name"] == "GetRandom");
  CHECK(first["rule"] == "a.conf:3");
  CHECK(first["tenant"].is_null());
  std::getline(lines, line);
  const auto second = nlohmann::json::parse(line);
  CHECK(second["uid"].is_null());
  CHECK(second["context"].is_null());
  CHECK(second["severity"].is_null());
  CHECK_FALSE(std::getline(lines, line));
  CHECK(notes.str().find("no longer kept") != std::string::npos);
}

TEST_CASE_METHOD(RecordedDaemon, "events of some names", "[tbsctl][events]") {
  answer(proto::EventList{.entries = {newer(kNoon), blocked(kNoon + 1)}});
  REQUIRE(run_events(daemon, console(), {.names = {"blocked"}}).has_value());
  CHECK(out.str().find("event 9999") == std::string::npos);
  CHECK(out.str().find("blocked") != std::string::npos);
}

TEST_CASE_METHOD(RecordedDaemon, "events that come again and again are refused",
                 "[tbsctl][events]") {
  answer(proto::EventList{.more = 1, .entries = {blocked(kNoon)}});
  answer(proto::EventList{.more = 1, .entries = {blocked(kNoon)}});
  const auto outcome = run_events(daemon, console(), {.names = {}});
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().message.find("out of order") != std::string::npos);
}
