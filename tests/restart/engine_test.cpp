// All engines and guards together die at inputs of random histories, and go on as if they had not.

#include "tests/restart/household.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using When = Restarts::When;

namespace {

Household::Seen play(const Restarts& restarts, std::uint32_t seed, int steps) {
  next_restarts() = restarts;
  Household household(seed);
  for (int i = 0; i < steps; ++i) household.step();
  return household.seen();
}

}  // namespace

TEST_CASE("engines and guards go on after a restart before any input", "[restart]") {
  const auto seed = GENERATE(1U, 2U, 3U);
  const auto seen = play({.when = When::Every}, seed, 400);
  // Else this shows nothing.
  CHECK(seen.failures + seen.refused > 3);
  CHECK(seen.indices > 3);
  CHECK(seen.raw > 3);
  CHECK(seen.detached > 0);
}

TEST_CASE("and after restarts here and there", "[restart]") {
  const auto seed = GENERATE(range(10U, 20U));
  play({.when = When::Some, .seed = seed, .snapshot_every = 7 + seed % 50}, seed, 400);
}

TEST_CASE("and after a single one, wherever it comes", "[restart]") {
  inputs_told() = 0;
  play({.when = When::Never}, 5, 60);
  const auto inputs = inputs_told();
  REQUIRE(inputs > 100);
  for (std::uint64_t at = 1; at <= inputs; ++at) play({.when = When::Once, .at = at}, 5, 60);
}

// By hand: `restart_tests '[long]'`.
TEST_CASE("and so for many more seeds", "[.][long][restart]") {
  const auto seed = GENERATE(range(100U, 2100U));
  play({.when = When::Some, .seed = seed, .snapshot_every = 1 + seed % 64}, seed, 600);
}
