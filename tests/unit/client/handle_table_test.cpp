#include "client/handle_table.h"

#include <set>

#include "tests/support/catch2.h"

using tbs::client::HandleTable;

namespace {

std::shared_ptr<int> object(int value) {
  return std::make_shared<int>(value);
}

}  // namespace

TEST_CASE("a handle finds its own object until it is removed", "[client][handle]") {
  HandleTable<int> table;
  const auto first = table.insert(object(1), 0);
  const auto second = table.insert(object(2), 0);
  REQUIRE(*table.find(first, 0) == 1);
  REQUIRE(*table.find(second, 0) == 2);
  REQUIRE(*table.remove(first, 0) == 1);
  REQUIRE(table.find(first, 0) == nullptr);
  REQUIRE(table.remove(first, 0) == nullptr);
  REQUIRE(*table.find(second, 0) == 2);
}

TEST_CASE("handles are odd, not zero and below 2^31", "[client][handle]") {
  HandleTable<int> table;
  for (int round = 0; round < 40000; ++round) {
    const auto handle = table.insert(object(round), 0);
    REQUIRE(handle % 2 == 1);
    REQUIRE(handle < 0x80000000U);
    REQUIRE(table.remove(handle, 0) != nullptr);
  }
}

TEST_CASE("what is no handle finds nothing", "[client][handle]") {
  HandleTable<int> table;
  const std::uintptr_t handle = table.insert(object(1), 0);
  const std::uintptr_t on_the_stack = reinterpret_cast<std::uintptr_t>(&handle);
  for (const std::uintptr_t wrong :
       {std::uintptr_t{0}, std::uintptr_t{1}, handle - 1, handle + 1, handle + 2, handle << 1,
        handle | 0x80000000U, handle | std::uintptr_t{1} << 32, on_the_stack, ~std::uintptr_t{0}}) {
    REQUIRE(table.find(wrong, 0) == nullptr);
    REQUIRE(table.remove(wrong, 0) == nullptr);
  }
  REQUIRE(table.find(handle, 0) != nullptr);
}

TEST_CASE("a closed handle does not name whoever comes next", "[client][handle]") {
  HandleTable<int> table;
  std::set<std::uintptr_t> closed;
  for (int round = 0; round < 1000; ++round) {
    const auto handle = table.insert(object(round), 0);
    REQUIRE(closed.insert(handle).second);
    for (const auto old : closed) {
      if (old != handle) REQUIRE(table.find(old, 0) == nullptr);
    }
    table.remove(handle, 0);
  }
}

TEST_CASE("a handle of another generation is dead and its place is not reused",
          "[client][handle]") {
  HandleTable<int> table;
  const auto inherited = table.insert(object(1), 0);
  REQUIRE(table.find(inherited, 1) == nullptr);
  REQUIRE(table.remove(inherited, 1) == nullptr);
  const auto own = table.insert(object(2), 1);
  REQUIRE(own != inherited);
  REQUIRE(*table.find(own, 1) == 2);
  REQUIRE(table.find(inherited, 1) == nullptr);
}

TEST_CASE("a full table gives no handle, and one again once there is room", "[client][handle]") {
  HandleTable<int> table;
  const auto shared = object(1);
  const auto first = table.insert(shared, 0);
  for (std::size_t i = 1; i < HandleTable<int>::kCapacity; ++i) {
    if (table.insert(shared, 0) == 0) FAIL("full after " << i);
  }
  REQUIRE(table.insert(shared, 0) == 0);
  REQUIRE(table.remove(first, 0) != nullptr);
  REQUIRE(table.insert(shared, 0) != 0);
}
