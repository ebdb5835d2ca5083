#include "tests/sim/plan.h"

namespace tbs::sim {
namespace {

constexpr std::uint32_t kFirstUid = 1000;

ChipPlan chip_of(Random& random) {
  ChipPlan chip;
  chip.speed = random.between(10, 150);
  if (random.one_in(2)) chip.retries = random.between(20, 400);
  if (random.one_in(3)) return chip;
  // One in three has a device that fails.
  if (!random.one_in(2)) return chip;
  chip.lost = random.between(100, 2000);
  chip.failed = random.between(100, 2000);
  chip.gone = random.between(200, 3000);
  chip.resets = random.between(200, 3000);
  return chip;
}

}  // namespace

Plan plan_of(std::uint64_t seed) {
  Random random(seed ^ 0x504C414E);
  Plan plan;
  plan.seed = seed;
  const auto add = [&](Kind kind, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      // Two of a kind may be of one user.
      const std::uint64_t number = plan.users.size();
      const bool shared = i > 0 && random.one_in(4);
      const std::uint32_t uid =
          shared ? plan.users.back().uid : kFirstUid + static_cast<std::uint32_t>(number);
      plan.users.push_back({.kind = kind, .number = number, .uid = uid});
    }
  };
  add(Kind::Honest, random.between(6, 10));
  add(Kind::High, random.below(2));
  add(Kind::Clumsy, random.below(4));
  add(Kind::Hostile, random.below(3));
  add(Kind::Counter, random.below(3));
  add(Kind::Forking, random.below(2));
  add(Kind::Busy, random.one_in(2) ? random.between(2, 4) : 0);
  plan.length = random.between(50, 90) * kMinute;
  plan.restarts = random.one_in(4) ? 0 : random.between(1, 12);
  plan.chip = chip_of(random);
  plan.small_gap = random.one_in(4);
  plan.verify = random.one_in(8);
  const std::uint64_t share = random.below(4);
  plan.share = share == 0 ? ShareMode::Strict : share == 1 ? ShareMode::Exclusive : ShareMode::Idle;
  plan.slow_store = random.one_in(2) ? random.between(1, 4) : 0;
  return plan;
}

}  // namespace tbs::sim
