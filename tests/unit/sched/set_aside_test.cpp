#include "daemon/sched/set_aside.h"

#include <vector>

#include "tests/support/catch2.h"
#include "tests/support/client_command.h"

using namespace tbs;
using namespace tbs::sched;
using namespace std::chrono_literals;

namespace {

const TimePoint kStart{};

SharedCommand request(std::uint64_t context, std::uint64_t id, std::uint32_t priority = 200) {
  return test::client_command(
      {.context = ContextId{context}, .request = RequestId{id}, .priority = priority});
}

std::vector<std::uint64_t> ids(const std::vector<SetAside::Waiting>& waiting) {
  std::vector<std::uint64_t> found;
  for (const auto& one : waiting) {
    found.push_back(static_cast<std::uint64_t>(one.command->request()));
  }
  return found;
}

using Ids = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("contexts that are set aside come back in the order of their times", "[sched][later]") {
  SetAside aside;
  CHECK_FALSE(aside.next().has_value());
  aside.add(ContextId{1}, kStart + 20ms, {{.command = request(1, 11), .since = kStart}});
  aside.add(ContextId{2}, kStart + 10ms, {{.command = request(2, 21), .since = kStart}});
  aside.append(request(1, 12), kStart + 5ms);
  CHECK(aside.size() == 3);
  CHECK(aside.contains(ContextId{1}));
  CHECK(aside.next() == kStart + 10ms);
  SECTION("one after the other") {
    CHECK(aside.take_due(kStart + 9ms).empty());
    CHECK(ids(aside.take_due(kStart + 10ms)) == Ids{21});
    CHECK(aside.next() == kStart + 20ms);
    CHECK(ids(aside.take_due(kStart + 20ms)) == Ids{11, 12});
  }
  SECTION("at once") {
    CHECK(ids(aside.take_due(kStart + 1s)) == Ids{21, 11, 12});
  }
  CHECK(aside.size() == 0);
  CHECK_FALSE(aside.next().has_value());
  CHECK_FALSE(aside.contains(ContextId{1}));
}

TEST_CASE("what is set aside can be cancelled, and is listed", "[sched][later]") {
  SetAside aside;
  aside.add(ContextId{1}, kStart + 20ms, {{.command = request(1, 11, 100), .since = kStart + 1ms}});
  aside.append(request(1, 12, 300), kStart + 5ms);
  const auto waiting = aside.waiting_of(ContextId{1});
  REQUIRE(waiting.has_value());
  CHECK(waiting->priority == 300);
  CHECK(waiting->since == kStart + 1ms);
  CHECK_FALSE(aside.waiting_of(ContextId{2}).has_value());
  CHECK(aside.remove(ContextId{2}, std::nullopt).empty());
  CHECK(aside.remove(ContextId{1}, RequestId{13}).empty());
  CHECK(aside.remove(ContextId{1}, RequestId{11}).size() == 1);
  CHECK(aside.contains(ContextId{1}));
  SECTION("by its context") {
    CHECK(aside.remove(ContextId{1}, std::nullopt).size() == 1);
  }
  SECTION("with everything") {
    CHECK(aside.clear().size() == 1);
  }
  CHECK(aside.size() == 0);
  CHECK_FALSE(aside.contains(ContextId{1}));
  CHECK(aside.take_due(kStart + 20ms).empty());
  CHECK_FALSE(aside.next().has_value());
}
