#include "daemon/server/admission.h"

#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Status;

namespace {

Status hello_status(FakeLink& link, std::uint32_t wanted = proto::kWantTpm20) {
  link.send_from_client(1, proto::Hello{.wanted = wanted});
  return link.take_only<proto::HelloReply>()->status;
}

constexpr std::uint32_t kRaw = proto::kWantTpm20 | proto::kWantRaw;

}  // namespace

TEST_CASE("a user has as many contexts as allowed, and no more", "[server][admission]") {
  ServerBench bench;
  bench.configure({.contexts = 10, .contexts_per_user = 2});
  const auto first = bench.connect(1000);
  CHECK(hello_status(*first) == Status::Success);
  CHECK(hello_status(*bench.connect(1000)) == Status::Success);
  CHECK(hello_status(*bench.connect(1000)) == Status::TooManyContexts);
  REQUIRE(bench.audit.of(proto::Event::Admission).size() == 1);
  CHECK(bench.audit.of(proto::Event::Admission)[0].fields.uid == 1000U);
  CHECK(hello_status(*bench.connect(1001)) == Status::Success);
  // Administrators are excepted.
  for (int i = 0; i < 3; ++i) CHECK(hello_status(*bench.connect(0)) == Status::Success);
  first->hang_up();
  CHECK(hello_status(*bench.connect(1000)) == Status::Success);
}

TEST_CASE("all together have as many contexts as allowed", "[server][admission]") {
  ServerBench bench;
  bench.configure({.contexts = 2, .contexts_per_user = 2});
  CHECK(hello_status(*bench.connect(1000)) == Status::Success);
  const auto second = bench.connect(1001);
  CHECK(hello_status(*second) == Status::Success);
  CHECK(hello_status(*bench.connect(1002)) == Status::TooManyContexts);
  // Administrators have places of their own.
  CHECK(hello_status(*bench.connect(0)) == Status::Success);
  second->hang_up();
  CHECK(hello_status(*bench.connect(1002)) == Status::Success);
}

TEST_CASE("accounts with many contexts leave the last places to those with few",
          "[server][admission]") {
  ServerBench bench;
  bench.configure({.contexts = 128, .contexts_per_user = 100});
  std::vector<std::shared_ptr<FakeLink>> links;
  for (int i = 0; i < 100; ++i) links.push_back(bench.context(1000));
  for (int i = 0; i < 26; ++i) links.push_back(bench.context(1001));
  CHECK(hello_status(*bench.connect(1001)) == Status::TooManyContexts);
  CHECK(hello_status(*bench.connect(1002)) == Status::Success);
  CHECK(hello_status(*bench.connect(1003)) == Status::Success);
  CHECK(hello_status(*bench.connect(1004)) == Status::TooManyContexts);
}

TEST_CASE("connections that are no contexts are bounded, too", "[server][admission]") {
  ServerBench bench;
  bench.configure({.contexts = 4, .contexts_per_user = 1});
  std::vector<std::shared_ptr<FakeLink>> links;
  for (int i = 0; i < 33; ++i) links.push_back(bench.observer(1000));
  CHECK_FALSE(links.back()->closed());
  const auto refused = bench.connect(1000);
  CHECK(refused->closed());
  const auto refusal = refused->take_only<proto::Refusal>();
  REQUIRE(refusal);
  CHECK(refusal->status == Status::TooManyContexts);
  CHECK(bench.server.admission().connections().total() == 33);
  CHECK_FALSE(bench.connect(1001)->closed());
  links.front()->hang_up();
  CHECK_FALSE(bench.connect(1000)->closed());
}

TEST_CASE("an administrator can look at a daemon that users have filled", "[server][admission]") {
  ServerBench bench;
  bench.configure({.contexts = 1, .contexts_per_user = 1});
  std::vector<std::shared_ptr<FakeLink>> links;
  for (std::uint32_t i = 0; i < 40; ++i) links.push_back(bench.observer(1000));
  CHECK(links.back()->closed());
  for (int i = 0; i < 20; ++i) {
    links.push_back(bench.observer(0));
    CHECK_FALSE(links.back()->closed());
  }
}

TEST_CASE("all together have as many connections as allowed", "[server][admission]") {
  ServerBench bench;
  bench.configure({.contexts = 1, .contexts_per_user = 1});
  std::vector<std::shared_ptr<FakeLink>> links;
  for (std::uint32_t i = 0; i < 65; ++i) {
    links.push_back(bench.observer(1000 + i));
    CHECK_FALSE(links.back()->closed());
  }
  CHECK(bench.connect(5000)->closed());
  CHECK_FALSE(bench.connect(0)->closed());
}

TEST_CASE("a raw context is an administrator's, allowed and alone", "[server][admission]") {
  ServerBench bench;
  bench.configure({}, {.raw_contexts = true});
  SECTION("it keeps the others out") {
    const auto raw = bench.connect(0);
    CHECK(hello_status(*raw, kRaw) == Status::Success);
    CHECK(bench.audit.of(proto::Event::Connected)[0].level == spdlog::level::info);
    CHECK(hello_status(*bench.connect(1000)) == Status::TooManyContexts);
    CHECK(hello_status(*bench.connect(0), kRaw) == Status::TooManyContexts);
    raw->hang_up();
    CHECK(hello_status(*bench.connect(1000)) == Status::Success);
  }
  SECTION("it waits for the others to go") {
    const auto other = bench.context(1000);
    CHECK(hello_status(*bench.connect(0), kRaw) == Status::TooManyContexts);
    other->hang_up();
    CHECK(hello_status(*bench.connect(0), kRaw) == Status::Success);
  }
  SECTION("a user who asks for it gets an ordinary context") {
    CHECK(hello_status(*bench.connect(1000), kRaw) == Status::Success);
    CHECK(hello_status(*bench.connect(1001), kRaw) == Status::Success);
  }
  SECTION("nobody gets one where it is not allowed") {
    bench.configure({});
    CHECK(hello_status(*bench.connect(0), kRaw) == Status::Success);
    CHECK(hello_status(*bench.connect(1000)) == Status::Success);
  }
}

TEST_CASE("nothing is counted when all have gone", "[server][admission]") {
  ServerBench bench;
  bench.configure({.contexts = 2, .contexts_per_user = 1});
  std::vector<std::shared_ptr<FakeLink>> links;
  for (std::uint32_t i = 0; i < 50; ++i) {
    links.push_back(i % 2 == 0 ? bench.context(1000 + i % 3) : bench.observer(1000 + i % 3));
  }
  CHECK(bench.server.admission().contexts().total() == 2);
  for (const auto& link : links) link->hang_up();
  CHECK(bench.server.admission().contexts().total() == 0);
  CHECK(bench.server.admission().connections().total() == 0);
  CHECK(bench.server.admission().connections().size() == 0);
  CHECK(bench.sink.open.empty());
}
