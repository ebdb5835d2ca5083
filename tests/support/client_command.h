#pragma once

// Client commands for tests. Tests may leave out what they do not care about; the daemon may not.

#include <utility>

#include "daemon/command/client_command.h"

namespace tbs::test {

inline constexpr rules::RoleSet kUserRoles =
    rules::role_bit(rules::kEverybody) | rules::role_bit(rules::kUser);
inline constexpr rules::RoleSet kAdministratorRoles =
    rules::role_bit(rules::kEverybody) | rules::role_bit(rules::kAdministrator);

// TPM2_GetRandom without its parameter: the shortest thing that is a command.
inline const proto::Buffer kShortCommand = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x7B};

struct Asked {
  UserId user{1000};
  rules::RoleSet roles = kUserRoles;
  ContextId context{1};
  RequestId request{1};
  std::uint32_t priority = 200;
  std::uint8_t locality = 0;
  Family family = Family::Tpm20;
  proto::Buffer bytes = kShortCommand;
};

// Null when the bytes are no command.
inline SharedCommand client_command(Asked asked) {
  auto requester = std::make_shared<const Requester>(
      Requester{.account = account_of(asked.user),
                .user = asked.user,
                .groups = std::vector<std::uint32_t>(),
                .process = Process{.id = 1, .program = std::string("test")},
                .roles = asked.roles});
  return ClientCommand::read({.requester = std::move(requester),
                              .context = asked.context,
                              .request = asked.request,
                              .priority = asked.priority,
                              .locality = asked.locality,
                              .family = asked.family,
                              .bytes = std::move(asked.bytes)});
}

}  // namespace tbs::test
