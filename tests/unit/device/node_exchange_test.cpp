#include "daemon/device/node_exchange.h"

#include <array>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/support/catch2.h"

using namespace tbs::device;

// A folder stands for a node that cannot be read any more: each read of it fails.
TEST_CASE("a command after another one gives up a node that goes on failing", "[restart]") {
  const int node = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  REQUIRE(node >= 0);
  std::array<std::uint8_t, 4096> response{};
  const auto result = finish_exchange(node, {.command = {1, 2, 3}, .response = response});
  ::close(node);
  REQUIRE_FALSE(result);
  CHECK(result.error().error == EISDIR);
}
