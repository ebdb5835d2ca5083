#pragma once

// On whose behalf a command runs. It has no defaults: an identity that somebody forgot to fill in
// would be the superuser's, whose number is 0.

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/command/required.h"
#include "proto/rules/rules.h"

namespace tbs {

struct Process {
  Required<std::int32_t> id;
  Required<std::string> program;
};

struct Requester {
  // To whom it is charged.
  Required<AccountId> account;
  Required<UserId> user;
  Required<std::vector<std::uint32_t>> groups;
  Required<Process> process;
  Required<rules::RoleSet> roles;

  [[nodiscard]] bool is_administrator() const { return rules::is_administrator(roles); }
};

}  // namespace tbs
