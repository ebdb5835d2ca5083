#include "tests/support/test_chip.h"

#include <cstdlib>
#include <string_view>

namespace tbs::test {

TestChip::TestChip() {
  const char* const kind = std::getenv("TBS_TEST_DEVICE");
  if (kind != nullptr && std::string_view(kind) == "kernel") {
    kernel_.emplace();
  } else {
    software_.emplace();
  }
}

std::vector<std::uint8_t> TestChip::run(std::span<const std::uint8_t> command) {
  return kernel_ ? kernel_->run(command) : software_->run(command);
}

}  // namespace tbs::test
