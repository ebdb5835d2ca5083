// The language of the rules: whatever the text, it is taken within its bounds or refused with a
// reason; what was taken can be judged by, and a list that was kept is what roles_of() counts.

#include <cstdint>
#include <cstdlib>

#include "daemon/policy/lockout_guard.h"
#include "proto/rules/rules_parser.h"
#include "proto/tpm/constants.h"

using namespace tbs::rules;
using tbs::policy::LockoutGuard;

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
    const Subject subject{.uid = 1001, .gids = {1001}, .unit = "a.service", .cgroup = "/a/b"};
    const RoleSet roles = roles_of(*rules, subject);
    require((roles & role_bit(kEverybody)) != 0);
    require(is_administrator(roles) == ((roles & role_bit(kUser)) == 0));
    const auto match =
        evaluate(*rules, {.roles = roles, .command = tbs::tpm::cc::kGetRandom, .nv_indices = {1}});
    require(match.allowed || match.rule != nullptr);
  }
  LockoutGuard guard;
  guard.from_text(text, 1'700'000'000);
  LockoutGuard again;
  again.from_text(guard.to_text(), 1'700'000'000);
  require(again.entries(1'700'000'000).size() == guard.entries(1'700'000'000).size());
  return 0;
}
