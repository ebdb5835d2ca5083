#include "tests/bench/swtpm.h"

#include <array>

#include "tests/bench/direct_client.h"
#include "tests/bench/expect_success.h"

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

}  // namespace tbs::bench
