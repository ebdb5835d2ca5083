#pragma once

// What the rules and the guard against failed authorizations have to say about the clients'
// commands, and what the administrator is told about it.

#include <optional>
#include <utility>

#include "daemon/policy/authorization_guard.h"
#include "daemon/policy/command_filter.h"
#include "daemon/policy/ownership_guard.h"
#include "daemon/server/audit.h"
#include "daemon/server/clients.h"

namespace tbs::server {

class CommandScreening : private policy::AuthorizationGuard::Observer,
                         private policy::OwnershipGuard::Judge {
 public:
  // All must outlive it.
  CommandScreening(const tpm::CommandTable& commands, policy::AuthorizationGuard& guard,
                   policy::OwnershipGuard& ownership, const Clients& clients, Audit& audit)
      : filter_(commands, guard, ownership.ownership()), clients_(clients), audit_(audit) {
    guard.set_observer(*this);
    ownership.set_judge(*this);
  }

  void set_rules(rules::Rules rules) { filter_.set_rules(std::move(rules)); }
  [[nodiscard]] const rules::Rules& rules() const { return filter_.rules(); }

  // What a command that has come is answered instead of being queued; nothing when it may pass.
  std::optional<proto::Buffer> check(const Client& client, const ClientCommand& command);

 private:
  void held_back(const ClientCommand& command) override;
  void locked_out(const ClientCommand& command) override;
  std::optional<proto::Buffer> judge(const ClientCommand& command) override;

  policy::CommandFilter filter_;
  const Clients& clients_;
  Audit& audit_;
};

}  // namespace tbs::server
