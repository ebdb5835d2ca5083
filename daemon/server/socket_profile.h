#pragma once

// What a listening socket makes of those who connect to it. Who may open its file is one thing,
// what its file gives is another: a container that has one socket mounted has that one's rights.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/base/ids.h"
#include "daemon/base/tenant_name.h"
#include "daemon/policy/limits.h"

namespace tbs::server {

// Whoever comes through the administrators' socket has an account apart from that of the same user
// on everybody's: root in a container takes nothing from the host's root, and cancels nothing of
// it.
inline constexpr std::uint64_t kAdministratorsBit = kTenantBit << 1;

enum class HighestRole : std::uint8_t { User, Administrator };

struct SocketProfile {
  HighestRole highest = HighestRole::User;
  // The tenant for whom it speaks, whoever connects; empty where each peer is itself.
  std::string tenant;
  // A role of the rules that all who connect have besides; may be empty.
  std::string role;
  // Where the tenant has less than a user.
  std::optional<policy::Limits> limits;

  [[nodiscard]] std::optional<UserId> speaks_for() const {
    return tenant.empty() ? std::nullopt : std::optional(tenant_user(tenant));
  }
  // Whom this user stands for here.
  [[nodiscard]] UserId user_of(UserId peer) const {
    if (const auto fixed = speaks_for()) return *fixed;
    if (highest != HighestRole::Administrator) return peer;
    return UserId{static_cast<std::uint64_t>(peer) | kAdministratorsBit};
  }
};

// A tenant's can change while its clients are connected.
using SharedProfile = std::shared_ptr<const SocketProfile>;

// Every user's socket: nobody is an administrator, whatever their number is.
inline SharedProfile everybodys_profile() {
  static const SharedProfile profile = std::make_shared<const SocketProfile>();
  return profile;
}

// The administrators' socket. Others that may open it are users on it.
inline SharedProfile administrators_profile() {
  static const SharedProfile profile = std::make_shared<const SocketProfile>(
      SocketProfile{.highest = HighestRole::Administrator, .tenant = {}, .role = {}, .limits = {}});
  return profile;
}

}  // namespace tbs::server
