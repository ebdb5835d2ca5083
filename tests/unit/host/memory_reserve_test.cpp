#include "daemon/host/memory_reserve.h"

#include <new>

#include "tests/support/catch2.h"

using namespace tbs::host;

namespace {

// As the allocator does when it has nothing left.
bool handler_finds_memory() {
  try {
    std::get_new_handler()();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace

TEST_CASE("memory put aside serves once, and again when it could be put aside anew",
          "[host][memory]") {
  const std::new_handler before = std::get_new_handler();
  set_up_memory_reserve();
  REQUIRE(std::get_new_handler() != nullptr);
  CHECK_FALSE(memory_is_short());
  CHECK(handler_finds_memory());
  // Used up: now the allocation fails.
  CHECK_FALSE(handler_finds_memory());
  CHECK_FALSE(handler_finds_memory());
  // Somebody asks, and there is memory again.
  CHECK_FALSE(memory_is_short());
  CHECK(handler_finds_memory());
  CHECK_FALSE(handler_finds_memory());
  std::set_new_handler(before);
}
