#include "daemon/server/back_pressure.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;

namespace {

constexpr std::size_t kKib = 1024;

proto::Submit submit_of(const proto::Buffer& command) {
  return {.locality = 0, .priority = 200, .command = command};
}

// About 4 KiB.
proto::Buffer large_command() {
  return tpm_message(tpm::cc::kGetRandom, std::vector<std::uint32_t>(1000));
}

}  // namespace

TEST_CASE("a user with too much waiting is not read from", "[server][back_pressure]") {
  ServerBench bench;
  bench.configure({.backlog_kib_per_user = 64});
  const proto::Buffer command = large_command();
  const auto link = bench.context(1000);
  for (std::uint64_t id = 2; id < 30; ++id) link->send_from_client(id, submit_of(command));
  const std::size_t taken = bench.sink.outstanding.size();
  CHECK(taken == 64 * kKib / command.size() + 1);
  CHECK(link->unread() > 0);
  REQUIRE(bench.audit.of(proto::Event::Backlog).size() == 1);
  CHECK(bench.audit.of(proto::Event::Backlog)[0].fields.uid == 1000U);

  // Another context of the user has nothing waiting: it gets on, with one command.
  const auto second = bench.context(1000);
  second->send_from_client(2, submit_of(command));
  second->send_from_client(3, submit_of(command));
  CHECK(bench.sink.outstanding.size() == taken + 1);
  // And another user does not notice.
  const auto other = bench.context(1001);
  other->send_from_client(2, submit_of(command));
  other->send_from_client(3, submit_of(command));
  CHECK(bench.sink.outstanding.size() == taken + 3);
}

TEST_CASE("who was held up goes on when there is room, one after another",
          "[server][back_pressure]") {
  ServerBench bench;
  bench.configure({.backlog_kib_per_user = 64});
  const proto::Buffer command = large_command();
  const auto first = bench.context(1000);
  const auto second = bench.context(1000);
  for (std::uint64_t id = 2; id < 32; ++id) first->send_from_client(id, submit_of(command));
  second->send_from_client(2, submit_of(command));
  second->send_from_client(3, submit_of(command));
  std::size_t answered = 0;
  while (!bench.sink.outstanding.empty()) {
    bench.sink.answer(tpm_message(0));
    ++answered;
    bench.environment.run_posted();
  }
  CHECK(answered == 32);
  CHECK(first->take().size() == 30);
  CHECK(second->take().size() == 2);
  CHECK(first->unread() == 0);
  CHECK(bench.server.backlog().total() == 0);
}

TEST_CASE("resumed in turn: the one who goes on first is not always the same",
          "[server][back_pressure]") {
  ServerBench bench;
  bench.configure({.backlog_kib_per_user = 64});
  const proto::Buffer command = large_command();
  std::vector<std::shared_ptr<FakeLink>> links;
  for (int i = 0; i < 3; ++i) links.push_back(bench.context(1000));
  for (const auto& link : links) {
    for (std::uint64_t id = 2; id < 32; ++id) link->send_from_client(id, submit_of(command));
  }
  std::vector<std::size_t> taken_by(3);
  for (int i = 0; i < 60; ++i) {
    bench.sink.answer(tpm_message(0));
    bench.environment.run_posted();
    for (const auto& request : bench.sink.outstanding) {
      if (request->request() == RequestId{20}) {
        taken_by[static_cast<std::size_t>(request->context()) - 1] = 1;
      }
    }
  }
  CHECK(taken_by == std::vector<std::size_t>{1, 1, 1});
}

TEST_CASE("answers that are not read count as waiting", "[server][back_pressure]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  link->set_client_reads(false);
  const proto::Buffer command = tpm_message(tpm::cc::kGetRandom);
  link->send_from_client(2, submit_of(command));
  bench.sink.answer(tpm_message(0, std::vector<std::uint32_t>(500)));
  CHECK(bench.server.backlog().of(account_of(UserId{1000})) == link->unsent());
  CHECK(link->unsent() > 2000);
  link->set_client_reads(true);
  CHECK(link->unsent() == 0);
  CHECK(bench.server.backlog().of(account_of(UserId{1000})) == 0);
  CHECK(link->take_only<proto::Result>().has_value());
}

TEST_CASE("what a client had waiting goes with it, and others go on", "[server][back_pressure]") {
  ServerBench bench;
  bench.configure({.backlog_kib_per_user = 64});
  const proto::Buffer command = large_command();
  const auto first = bench.context(1000);
  const auto second = bench.context(1000);
  for (std::uint64_t id = 2; id < 32; ++id) first->send_from_client(id, submit_of(command));
  second->send_from_client(2, submit_of(command));
  second->send_from_client(3, submit_of(command));
  CHECK(second->unread() > 0);
  first->hang_up();
  bench.environment.run_posted();
  CHECK(second->unread() == 0);
  CHECK(bench.sink.outstanding.size() == 2);
  CHECK(bench.server.backlog().of(account_of(UserId{1000})) == 2 * command.size());
}

TEST_CASE("a connection that goes while it is about to be resumed", "[server][back_pressure]") {
  ServerBench bench;
  bench.configure({.backlog_kib_per_user = 64});
  const proto::Buffer command = large_command();
  const auto link = bench.context(1000);
  for (std::uint64_t id = 2; id < 32; ++id) link->send_from_client(id, submit_of(command));
  bench.sink.answer(tpm_message(0));
  link->hang_up();
  bench.environment.run_posted();
  CHECK(bench.sink.outstanding.empty());
  CHECK(bench.server.backlog().total() == 0);
}

TEST_CASE("those who go while they are held up leave nothing behind", "[server][back_pressure]") {
  ServerBench bench;
  bench.configure({.backlog_kib_per_user = 64});
  const proto::Buffer command = large_command();
  // It never reads, so the user stays held up.
  const auto silent = bench.context(1000);
  for (std::uint64_t id = 2; id < 32; ++id) silent->send_from_client(id, submit_of(command));
  for (int i = 0; i < 20; ++i) {
    const auto passing = bench.context(1000);
    passing->send_from_client(2, submit_of(command));
    passing->send_from_client(3, submit_of(command));
    CHECK(bench.server.held_up() == 2);
    passing->hang_up();
    bench.environment.run_posted();
    CHECK(bench.server.held_up() == 1);
  }
}
