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

enum class HighestRole : std::uint8_t { User, Administrator };

struct SocketProfile {
  HighestRole highest = HighestRole::User;
  // The tenant for whom it speaks, whoever connects; empty where each peer is itself.
  std::string tenant;
  // A role of the rules that all who connect have besides; may be empty.
  std::string role;
  // Who connects is a service that says for whom each connection is (proto/opener.h).
  bool delegates = false;
  // Where the tenant has less than a user.
  std::optional<policy::Limits> limits;

  [[nodiscard]] std::optional<UserId> speaks_for() const {
    return tenant.empty() ? std::nullopt : std::optional(tenant_user(tenant));
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

// That of a service for device nodes: who opened one is a user, as on everybody's socket.
inline SharedProfile node_profile() {
  static const SharedProfile profile = std::make_shared<const SocketProfile>(SocketProfile{
      .highest = HighestRole::User, .tenant = {}, .role = {}, .delegates = true, .limits = {}});
  return profile;
}

}  // namespace tbs::server
