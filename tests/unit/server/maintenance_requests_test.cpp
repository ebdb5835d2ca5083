#include "daemon/server/maintenance_requests.h"

#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using proto::Status;

namespace {

constexpr std::uint64_t kRequest = 2;

void ask(const std::shared_ptr<FakeLink>& link, const proto::Maintenance& request) {
  link->send_from_client(kRequest, request);
}

// Nothing while it waits.
std::optional<Status> answer(const std::shared_ptr<FakeLink>& link) {
  const auto reply = link->take_only<proto::MaintenanceReply>();
  return reply ? std::optional(reply->status) : std::nullopt;
}

Status answered(const std::shared_ptr<FakeLink>& link, const proto::Maintenance& request) {
  ask(link, request);
  const auto status = answer(link);
  REQUIRE(status);
  return *status;
}

constexpr sched::HandoverDeadlines kUntil{.refuse_at = TimePoint(10s), .end_at = TimePoint(60s)};

void give(ServerBench& bench) {
  REQUIRE(bench.sink.handover.given);
  bench.sink.handover.given(kUntil);
}

// What is kept of who has the TPM.
struct HandoverKeeper final : server::ClientKeeper {
  bool keep_socket(std::uint64_t, std::move_only_function<void()>) override { return true; }
  void opened(const server::Client&) override {}
  void connected(std::uint64_t, const server::Peer&, int) override {}
  void gone(std::uint64_t) override {}
  void handed_over(proto::Bytes whom) override { kept.assign(whom.begin(), whom.end()); }
  std::expected<proto::Bytes, int> receive(std::uint64_t, int, std::size_t) override { return {}; }
  void handled(std::uint64_t, std::size_t) override {}
  void queued(std::uint64_t, proto::Bytes) override {}
  std::expected<std::size_t, int> send(std::uint64_t, int, proto::Bytes) override { return 0; }

  proto::Buffer kept;
};

// What a process leaves in which this client has the TPM; its number is the one of the first client
// here.
proto::Buffer left_by_predecessor(bool stays) {
  HandoverKeeper keeper;
  ServerBench bench;
  bench.server.set_keeper(&keeper);
  ask(bench.observer(0), {.seconds = 60, .patience = 10, .stays = stays ? 1U : 0U});
  CHECK(keeper.kept.empty());
  give(bench);
  bench.server.set_keeper(nullptr);
  return keeper.kept;
}

}  // namespace

TEST_CASE("who asks for the TPM is answered when it is free", "[server][maintenance]") {
  ServerBench bench;
  const auto link = bench.observer(0);
  ask(link, {.seconds = 60, .patience = 10});
  CHECK(bench.sink.handover_terms.time == 60s);
  CHECK(bench.sink.handover_terms.patience == 10s);
  CHECK(link->take().empty());
  give(bench);
  CHECK(answer(link) == Status::Success);
  CHECK(bench.audit.of(proto::Event::Maintenance).size() == 1);
  CHECK(answered(link, {}) == Status::Success);
  CHECK(bench.sink.taken_back == 1);
  CHECK(bench.audit.of(proto::Event::Maintenance).size() == 2);
  // It is over: that is no mistake.
  CHECK(answered(link, {}) == Status::Success);
  CHECK(bench.sink.taken_back == 1);
}

TEST_CASE("the TPM is back when the connection ends, unless it is to stay away",
          "[server][maintenance]") {
  ServerBench bench;
  const bool stays = GENERATE(false, true);
  const bool given = GENERATE(false, true);
  const auto link = bench.observer(0);
  ask(link, {.seconds = 60, .stays = stays ? 1U : 0U});
  if (given) give(bench);
  link->hang_up();
  CHECK(bench.sink.taken_back == (stays && given ? 0 : 1));
  if (!stays || !given) return;
  const auto other = bench.observer(0);
  CHECK(answered(other, {.seconds = 60}) == Status::TooManyResources);
  CHECK(answered(other, {}) == Status::Success);
  CHECK(bench.sink.taken_back == 1);
}

TEST_CASE("the TPM is back when the time is over", "[server][maintenance]") {
  ServerBench bench;
  const auto link = bench.observer(0);
  ask(link, {.seconds = 60});
  give(bench);
  const auto over = bench.sink.handover.over;
  over();
  CHECK(bench.sink.taken_back == 1);
  // The next one may have it.
  const auto other = bench.observer(0);
  ask(other, {.seconds = 60});
  give(bench);
  CHECK(answer(other) == Status::Success);
  // Who had it before has nothing to end.
  link->hang_up();
  CHECK(bench.sink.taken_back == 1);
}

TEST_CASE("the TPM alone is for administrators, within bounds", "[server][maintenance]") {
  ServerBench bench;
  const auto user = bench.observer(1000);
  CHECK(answered(user, {.seconds = 60}) == Status::AccessDenied);
  CHECK(answered(user, {}) == Status::AccessDenied);
  const auto link = bench.observer(0);
  CHECK(answered(link, {.seconds = proto::kMostMaintenanceSeconds + 1}) == Status::BadParameter);
  CHECK(answered(link, {.seconds = 60, .patience = 61}) == Status::BadParameter);
  CHECK(answered(link, {.seconds = 60, .stays = 2}) == Status::BadParameter);
  CHECK_FALSE(bench.sink.handover.given);
  CHECK(bench.audit.of(proto::Event::Denied).size() == 2);
}

TEST_CASE("who has the TPM has it in the next process, too", "[server][maintenance]") {
  const bool stays = GENERATE(false, true);
  const proto::Buffer left = left_by_predecessor(stays);
  REQUIRE_FALSE(left.empty());
  HandoverKeeper keeper;
  ServerBench bench;
  bench.server.set_keeper(&keeper);
  const auto link = bench.observer(0);
  keeper.kept = left;
  bench.server.adopt_handover(left);
  REQUIRE(bench.sink.handed_over_until);
  CHECK(bench.sink.handed_over_until->refuse_at == kUntil.refuse_at);
  CHECK(bench.sink.handed_over_until->end_at == kUntil.end_at);
  CHECK(answered(bench.observer(0), {.seconds = 60}) == Status::TooManyResources);
  CHECK(keeper.kept == left);
  if (stays) {
    link->hang_up();
    CHECK(bench.sink.taken_back == 0);
    CHECK(answered(bench.observer(0), {}) == Status::Success);
  } else if (GENERATE(false, true)) {
    link->hang_up();
  } else {
    const auto over = bench.sink.handover.over;
    over();
  }
  CHECK(bench.sink.taken_back == 1);
  CHECK(keeper.kept.empty());
  bench.server.set_keeper(nullptr);
}

TEST_CASE("nobody has the TPM in the next process whose program has gone",
          "[server][maintenance]") {
  proto::Buffer left = left_by_predecessor(false);
  ServerBench bench;
  SECTION("its client") {}
  SECTION("a record that makes no sense") {
    bench.observer(0);
    left.pop_back();
  }
  SECTION("nothing") {
    bench.observer(0);
    left.clear();
  }
  bench.server.adopt_handover(left);
  CHECK_FALSE(bench.sink.handed_over_until);
  CHECK(answered(bench.observer(0), {}) == Status::Success);
  CHECK(bench.sink.taken_back == 0);
}

TEST_CASE("the log says that tbsd stops, and not that a program has ended",
          "[server][maintenance]") {
  ServerBench bench;
  ask(bench.observer(0), {.seconds = 60});
  give(bench);
  bench.server.stop();
  const auto told = bench.audit.of(proto::Event::Maintenance);
  REQUIRE(told.size() == 2);
  CHECK_THAT(told.back().text, Catch::Matchers::ContainsSubstring("tbsd stops"));
}
