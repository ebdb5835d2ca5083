#include <array>

#include <catch2/catch.hpp>

#include "tests/rm/fixture.h"

using namespace tbs;
using namespace tbs::test;

namespace {

rm::Options unverified() {
  return {};
}

}  // namespace

TEST_CASE("keys that fit cost one TPM command per client command", "[rm]") {
  RealTpm tpm(unverified());
  const auto client = tpm.connect();
  const ESYS_TR key = client->create_primary(1);
  REQUIRE(client->sign(key));
  tpm.bench.sent.clear();
  for (int i = 0; i < 50; ++i) REQUIRE(client->sign(key));
  REQUIRE(tpm.bench.sent.size() == 50);
}

TEST_CASE("six keys in turn on three slots cost at most three commands each", "[rm]") {
  RealTpm tpm(unverified());
  const auto client = tpm.connect();
  std::array<ESYS_TR, 6> keys{};
  for (std::uint8_t i = 0; i < keys.size(); ++i) keys[i] = client->create_primary(i);
  for (const ESYS_TR key : keys) REQUIRE(client->sign(key));
  tpm.bench.sent.clear();
  const auto saves = tpm.bench.manager.statistics().object_saves;
  for (int round = 0; round < 10; ++round) {
    for (const ESYS_TR key : keys) REQUIRE(client->sign(key));
  }
  REQUIRE(tpm.bench.sent.size() <= 60 * 3);
  REQUIRE(tpm.bench.manager.statistics().object_saves - saves <= keys.size());
  REQUIRE(tpm.bench.manager.facts().object_slots == 3);
}
