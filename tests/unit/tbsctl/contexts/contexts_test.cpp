#include <nlohmann/json.hpp>

#include "client/tbsctl/contexts/commands.h"
#include "client/tbsctl/contexts/context_pages.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
namespace proto = tbs::proto;

namespace {

proto::ContextEntry entry(std::uint64_t context) {
  return {.context = context, .uid = 0, .pid = 7, .priority = 200, .program = "tpm2"};
}

}  // namespace

TEST_CASE_METHOD(RecordedDaemon, "all pages of the contexts are fetched", "[tbsctl][contexts]") {
  answer(proto::ContextList{.more = 1, .entries = {entry(3), entry(9)}});
  answer(proto::ContextList{.more = 1, .entries = {entry(10)}});
  answer(proto::ContextList{.more = 0, .entries = {entry(40)}});
  const auto all = all_contexts(daemon);
  REQUIRE(all.has_value());
  REQUIRE(all->size() == 4);
  CHECK(all->back().context == 40);
  REQUIRE(recorded.requests.size() == 3);
  CHECK(request<proto::ListContexts>(0).after == 0);
  CHECK(request<proto::ListContexts>(1).after == 9);
  CHECK(request<proto::ListContexts>(2).after == 10);
}

TEST_CASE_METHOD(RecordedDaemon, "pages that do not advance end the listing",
                 "[tbsctl][contexts]") {
  answer(proto::ContextList{.more = 1, .entries = {entry(3)}});
  SECTION("the same page again") {
    answer(proto::ContextList{.more = 1, .entries = {entry(3)}});
    const auto all = all_contexts(daemon);
    REQUIRE_FALSE(all.has_value());
    CHECK(all.error().exit == Exit::Failed);
  }
  SECTION("an empty page that promises more") {
    answer(proto::ContextList{.more = 1});
    CHECK(all_contexts(daemon)->size() == 1);
  }
}

TEST_CASE_METHOD(RecordedDaemon, "a detached command is visible as such", "[tbsctl][contexts]") {
  proto::ContextEntry detached = entry(5);
  detached.running = 2;
  detached.command = TPM2_CC_CreatePrimary;
  detached.running_us = 1'500'000;
  proto::ContextEntry waiting = entry(6);
  waiting.queued = 3;
  proto::ContextEntry running = entry(7);
  running.running = 1;
  running.command = TPM2_CC_GetRandom;
  running.running_us = 2000;
  answer(proto::ContextList{.entries = {detached, waiting, running, entry(8)}});
  SECTION("in the table") {
    REQUIRE(run_contexts(daemon, console()).has_value());
    CHECK(out.str().find("detached  CreatePrimary for 1.5 s (cancelled") != std::string::npos);
    CHECK(out.str().find("waiting   -\n") != std::string::npos);
    CHECK(out.str().find("running   GetRandom for 2 ms\n") != std::string::npos);
    CHECK(out.str().find("idle      -\n") != std::string::npos);
    CHECK(out.str().find("root") != std::string::npos);
  }
  SECTION("in JSON") {
    REQUIRE(run_contexts(daemon, console(true)).has_value());
    const auto json = nlohmann::json::parse(out.str());
    REQUIRE(json.size() == 4);
    CHECK(json[0]["state"] == "detached");
    CHECK(json[0]["command"]["name"] == "CreatePrimary");
    CHECK(json[0]["running_us"] == 1'500'000);
    CHECK(json[1]["state"] == "waiting");
    CHECK(json[1]["command"].is_null());
    CHECK(json[3]["state"] == "idle");
    CHECK(json[3]["user"] == "root");
  }
}

TEST_CASE_METHOD(RecordedDaemon, "a program's name that is not UTF-8 makes valid JSON",
                 "[tbsctl][contexts]") {
  proto::ContextEntry strange = entry(5);
  strange.program = "a\xff\x1b";
  answer(proto::ContextList{.entries = {strange}});
  REQUIRE(run_contexts(daemon, console(true)).has_value());
  CHECK(nlohmann::json::parse(out.str()).size() == 1);
}

TEST_CASE("contexts in each order", "[tbsctl][contexts]") {
  const std::vector<proto::ContextEntry> entries = {{.context = 1,
                                                     .uid = 0,
                                                     .pid = 30,
                                                     .priority = 200,
                                                     .queued = 2,
                                                     .queued_bytes = 10,
                                                     .submitted = 5,
                                                     .program = "b"},
                                                    {.context = 2,
                                                     .uid = 4294967000,
                                                     .pid = 10,
                                                     .priority = 300,
                                                     .queued = 0,
                                                     .running = 1,
                                                     .queued_bytes = 30,
                                                     .submitted = 5,
                                                     .program = "c"},
                                                    {.context = 3,
                                                     .uid = 0,
                                                     .pid = 20,
                                                     .priority = 100,
                                                     .queued = 9,
                                                     .running = 2,
                                                     .running_us = 8,
                                                     .queued_bytes = 20,
                                                     .submitted = 7,
                                                     .program = "a"}};
  const auto sorted = [&](ContextOrder order) {
    std::vector<proto::ContextEntry> some = {entries[2], entries[0], entries[1]};
    UserNames users;
    sort_contexts(some, order, users);
    std::vector<std::uint64_t> numbers;
    for (const auto& each : some) numbers.push_back(each.context);
    return numbers;
  };
  using Numbers = std::vector<std::uint64_t>;
  CHECK(sorted(ContextOrder::Context) == Numbers{1, 2, 3});
  CHECK(sorted(ContextOrder::User) == Numbers{2, 1, 3});  // "4294967000", "root"
  CHECK(sorted(ContextOrder::Pid) == Numbers{2, 3, 1});
  CHECK(sorted(ContextOrder::Program) == Numbers{3, 1, 2});
  CHECK(sorted(ContextOrder::Priority) == Numbers{2, 1, 3});
  CHECK(sorted(ContextOrder::Queued) == Numbers{3, 1, 2});
  CHECK(sorted(ContextOrder::Bytes) == Numbers{2, 3, 1});
  CHECK(sorted(ContextOrder::Submitted) == Numbers{3, 1, 2});
  CHECK(sorted(ContextOrder::Running) == Numbers{3, 2, 1});
}

TEST_CASE_METHOD(RecordedDaemon, "what one context holds", "[tbsctl][contexts]") {
  const bool json = GENERATE(false, true);
  answer(proto::ContextList{.entries = {entry(7)}});
  answer(proto::HoldingList{
      .more = 1,
      .entries = {{.handle = 0x80000000, .loaded = 1, .sticky = 1},
                  {.handle = 0x80000001, .kind = proto::HoldingKind::Sequence},
                  {.handle = 0x03000002, .kind = proto::HoldingKind::Session, .saved = 1},
                  {.handle = 1, .kind = static_cast<proto::HoldingKind>(9)}}});
  REQUIRE(run_context(daemon, console(json), 7).has_value());
  CHECK(request<proto::ListContexts>(0).after == 6);
  CHECK(request<proto::ListHoldings>(1).context == 7);
  if (json) {
    const auto document = nlohmann::json::parse(out.str());
    CHECK(document["context"] == 7);
    CHECK(document["more"] == true);
    REQUIRE(document["holds"].size() == 4);
    CHECK(document["holds"][0] == nlohmann::json{{"handle", 0x80000000U},
                                                 {"kind", "object"},
                                                 {"loaded", true},
                                                 {"saved", false},
                                                 {"sticky", true}});
  } else {
    CHECK(out.str().contains("Holds:      4 and more\n"));
    CHECK(out.str().contains("0x80000000  object    on the TPM, sticky\n"));
    CHECK(out.str().contains("0x80000001  sequence  evicted\n"));
    CHECK(out.str().contains("0x03000002  session   saved by its program\n"));
    CHECK(out.str().contains("0x00000001  unknown   evicted\n"));
  }
}

TEST_CASE_METHOD(RecordedDaemon, "one context that cannot be told of", "[tbsctl][contexts]") {
  CHECK(run_context(daemon, console(), 0).error().message.contains("there is none"));
  answer(proto::ContextList{.entries = {entry(8)}});
  CHECK(run_context(daemon, console(), 7).error().message.contains("there is none"));
  answer(proto::ContextList{.entries = {entry(7)}});
  answer(proto::HoldingList{.status = proto::Status::AccessDenied});
  const auto refused = run_context(daemon, console(), 7);
  CHECK(refused.error().exit == Exit::Tbs);
  CHECK(refused.error().message.contains("belongs to another user"));
}
