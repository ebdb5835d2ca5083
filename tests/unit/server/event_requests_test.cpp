#include "daemon/server/event_requests.h"

#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Event;

namespace {

constexpr std::uint32_t kRoot = 0;
constexpr std::uint64_t kRequest = 40;

class EventBench : public ServerBench {
 public:
  void happen(std::uint64_t number, std::optional<std::uint32_t> uid,
              const std::string& tenant = "") {
    history.add(number, {.event = Event::Blocked,
                         .level = spdlog::level::warn,
                         .fields = {.uid = uid,
                                    .pid = 321,
                                    .program = "tool",
                                    .tenant = tenant,
                                    .context = 7,
                                    .command = 0x17B,
                                    .rule = "a.conf:3"},
                         .text = "it was blocked"});
    environment.run_posted();
  }
};

void ask(FakeLink& link, std::uint64_t after, bool wait) {
  link.send_from_client(kRequest, proto::ReadEvents{.after = after, .wait = wait ? 1U : 0U});
}

proto::EventList read(FakeLink& link, std::uint64_t after = 0) {
  ask(link, after, false);
  return link.take_only<proto::EventList>().value();
}

}  // namespace

TEST_CASE("an administrator reads all events", "[server][events]") {
  EventBench bench;
  bench.happen(10, 1000);
  bench.happen(20, 1001);
  bench.happen(30, std::nullopt);
  const auto list = read(*bench.observer(kRoot));
  CHECK(list.status == proto::Status::Success);
  CHECK(list.more == 0);
  CHECK(list.lost == 0);
  REQUIRE(list.entries.size() == 3);
  const proto::EventEntry& first = list.entries.front();
  CHECK(first.number == 10);
  CHECK(first.event == static_cast<std::uint32_t>(Event::Blocked));
  CHECK(first.severity == 4);
  CHECK(first.uid == 1000);
  CHECK(first.pid == 321);
  CHECK(first.context == 7);
  CHECK(first.command == 0x17B);
  CHECK(first.program == "tool");
  CHECK(first.rule == "a.conf:3");
  CHECK(first.text == "it was blocked");
  CHECK(list.entries.back().uid == proto::kNobody);
}

TEST_CASE("others read what they were part of", "[server][events]") {
  EventBench bench;
  bench.happen(10, 1000);
  bench.happen(20, 1001);
  bench.happen(30, std::nullopt);
  bench.happen(40, 1001, "web");
  const auto list = read(*bench.observer(1001));
  REQUIRE(list.entries.size() == 1);
  CHECK(list.entries.front().number == 20);
}

TEST_CASE("events come in pages", "[server][events]") {
  EventBench bench;
  for (std::uint64_t number = 1; number <= proto::kMaxEventsPerPage + 3; ++number) {
    bench.happen(number, 1000);
  }
  const auto link = bench.observer(kRoot);
  const auto first = read(*link);
  CHECK(first.entries.size() == proto::kMaxEventsPerPage);
  CHECK(first.more == 1);
  const auto second = read(*link, first.entries.back().number);
  CHECK(second.entries.size() == 3);
  CHECK(second.more == 0);
  CHECK(read(*link, second.entries.back().number).entries.empty());
}

TEST_CASE("who waits is answered with the next event, and once", "[server][events]") {
  EventBench bench;
  bench.happen(10, 1000);
  const auto admin = bench.observer(kRoot);
  const auto user = bench.observer(1001);
  ask(*admin, 10, true);
  ask(*user, 0, true);
  CHECK(admin->take().empty());
  bench.happen(20, 1000);
  CHECK(admin->take_only<proto::EventList>()->entries.front().number == 20);
  CHECK(user->take().empty());
  bench.happen(30, 1001);
  CHECK(admin->take().empty());
  CHECK(user->take_only<proto::EventList>()->entries.front().number == 30);
}

TEST_CASE("who waits and goes is forgotten", "[server][events]") {
  EventBench bench;
  const auto admin = bench.observer(kRoot);
  ask(*admin, 0, true);
  admin->hang_up();
  bench.happen(20, 1000);
  CHECK(admin->take().empty());
}

TEST_CASE("there is one question about events at a time", "[server][events]") {
  EventBench bench;
  const auto admin = bench.observer(kRoot);
  ask(*admin, 0, true);
  ask(*admin, 0, false);
  CHECK(admin->closed());
}
