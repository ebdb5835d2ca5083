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

void give(ServerBench& bench) {
  REQUIRE(bench.sink.handover.given);
  bench.sink.handover.given();
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
