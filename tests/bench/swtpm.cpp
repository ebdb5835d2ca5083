#include "tests/bench/swtpm.h"

#include <array>
#include <cstdio>
#include <stdexcept>

#include "tests/bench/direct_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::bench {
namespace {

constexpr std::array<std::uint8_t, 12> kStartupClear = {0x80, 0x01, 0,    0,    0, 12,
                                                        0,    0,    0x01, 0x44, 0, 0};

}  // namespace

Swtpm::Swtpm(const test::TempFolder& folder) : process_(folder) {
  process_.start();
  const auto client = direct_clients(process_.data_socket())();
  expect_success(client->run(kStartupClear), "Startup");
}

void expect_success(proto::Bytes response, const char* what) {
  const auto code = test::tpm::code(response);
  if (code == test::tpm::kSuccess) return;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), ": response code 0x%X", code.value_or(0xFFFFFFFF));
  throw std::runtime_error(what + std::string(text.data()));
}

}  // namespace tbs::bench
