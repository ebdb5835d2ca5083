#include "tests/bench/expect_success.h"

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {

void expect_success(proto::Bytes response, const char* what) {
  const auto code = test::tpm::code(response);
  if (code == test::tpm::kSuccess) return;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), ": response code 0x%X", code.value_or(0xFFFFFFFF));
  throw std::runtime_error(what + std::string(text.data()));
}

}  // namespace tbs::bench
