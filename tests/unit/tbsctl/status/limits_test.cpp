#include <nlohmann/json.hpp>

#include "client/tbsctl/status/commands.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;

namespace {

proto::LimitList some_limits() {
  return {
      .entries = {
          {.scope = 3, .uid = proto::kNobody, .limit = 16384, .used = 12, .name = "max-backlog"},
          {.scope = 2, .uid = 0, .limit = 1800, .used = 0, .name = "orphan-lifetime"},
          {.scope = 1, .uid = 0, .limit = 64, .used = 3, .name = "objects\x1b[31m"},
          {.scope = 9, .uid = 0, .limit = 1, .used = 0, .name = "new"}}};
}

}  // namespace

TEST_CASE_METHOD(RecordedDaemon, "limits have units", "[tbsctl][limits]") {
  answer(some_limits());
  REQUIRE(run_limits(daemon, console()).has_value());
  const std::string table = out.str();
  CHECK(table.find(" 16384 KiB  12 KiB  -\n") != table.npos);
  CHECK(table.find(" 1800 s ") != table.npos);
  CHECK(table.find("objects?[31m") != table.npos);
  CHECK(table.find("new              unknown") != table.npos);
}

TEST_CASE_METHOD(RecordedDaemon, "limits in JSON", "[tbsctl][limits]") {
  answer(some_limits());
  REQUIRE(run_limits(daemon, console(true)).has_value());
  const auto list = nlohmann::json::parse(out.str());
  REQUIRE(list.size() == 4);
  CHECK(list[0]["unit"] == "KiB");
  CHECK(list[0]["scope"] == "all");
  CHECK(list[0]["limit"] == 16384);
  CHECK(list[0]["uid"].is_null());
  CHECK(list[1]["unit"] == "s");
  CHECK(list[2]["unit"].is_null());
  CHECK(list[2]["uid"] == 0);
}
