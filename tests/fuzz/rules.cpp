// The language of the rules: whatever the text, it is taken within its bounds or refused with a
// reason; what was taken can be judged by and explained, and lists that were kept are what they say
// they are.

#include <cstdint>
#include <cstdlib>

#include "daemon/policy/lockout_guard.h"
#include "daemon/policy/ownership.h"
#include "proto/rules/conditions.h"
#include "proto/rules/rules_parser.h"

using namespace tbs::rules;
using tbs::policy::LockoutGuard;
using tbs::policy::Ownership;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const std::vector<Source> sources = {{.name = "fuzz.conf", .text = text}};
  const auto rules = parse_rules(sources);
  if (!rules) {
    require(rules.error().starts_with("fuzz.conf"));
  } else {
    require(rules->roles.size() <= kMaxRoles);
    const Subject subject{
        .uid = 1001, .gids = {1001}, .unit = "a.service", .cgroup = "/a/b", .tenant = "a"};
    const RoleSet roles = roles_of(*rules, subject);
    require((roles & role_bit(kEverybody)) != 0);
    require(is_administrator(roles) == ((roles & role_bit(kUser)) == 0));
    const CommandFacts facts{.roles = roles,
                             .command = 0x17B,
                             .nv_indices = {1},
                             .handles = {1, 0x40000001},
                             .hidden = size % 2 == 0,
                             .owner = Owner::Other};
    const auto match = evaluate(*rules, facts);
    require(match.allowed || match.rule != nullptr);
    for (const Rule* const missed : near_misses(*rules, facts)) require(!fits(*missed, facts));
    if (match.rule != nullptr) {
      require(fits(*match.rule, facts));
      require(!match.rule->text.empty() && !reasons(*rules, *match.rule, facts).empty());
    }
  }
  LockoutGuard guard;
  guard.from_text(text, 1'700'000'000);
  LockoutGuard again;
  again.from_text(guard.to_text(), 1'700'000'000);
  require(again.entries(1'700'000'000).size() == guard.entries(1'700'000'000).size());
  Ownership ownership;
  ownership.from_text(text);
  Ownership restored;
  restored.from_text(ownership.to_text());
  require(restored.to_text() == ownership.to_text());
  return 0;
}
