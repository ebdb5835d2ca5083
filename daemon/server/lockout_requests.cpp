#include "daemon/server/lockout_requests.h"

#include <string>
#include <utility>

#include "proto/limits.h"

namespace tbs::server {

using proto::Status;

Handled LockoutRequests::status(Client& client, std::uint64_t request_id,
                                const proto::LockoutStatus&) {
  const std::uint64_t now = guard_.now();
  const policy::LockoutLimits limits = guard_.in_force();
  proto::LockoutStatusReply reply{.window = static_cast<std::uint32_t>(limits.window),
                                  .per_user = static_cast<std::uint32_t>(limits.per_user),
                                  .total = static_cast<std::uint32_t>(limits.total)};
  for (const auto& entry : guard_.entries()) {
    if (!client.peer.administrator && entry.account != client.account()) continue;
    if (reply.entries.size() == proto::kMaxLockoutEntries) break;
    reply.entries.push_back({.uid = shown_number(user_of(entry.account)),
                             .failures = static_cast<std::uint32_t>(entry.failures),
                             .locked = entry.locked ? 1U : 0U,
                             .seconds = static_cast<std::uint32_t>(entry.until - now)});
  }
  client.link->send(request_id, std::move(reply));
  return {};
}

Handled LockoutRequests::reset(Client& client, std::uint64_t request_id,
                               const proto::LockoutReset& request) {
  const bool allowed = client.peer.administrator;
  if (allowed) {
    forget(client, request.uid);
  } else {
    audit_.denied(client, "the reset of the lockout guard");
  }
  client.link->send(request_id, proto::LockoutResetReply{.status = allowed ? Status::Success
                                                                           : Status::AccessDenied});
  return {};
}

void LockoutRequests::forget(const Client& client, std::uint32_t uid) {
  if (uid == proto::kNobody) {
    settings_.forget_failures(std::nullopt);
    audit_.lockout_reset(client, "all failures");
  } else {
    // As it is shown: a user's on either socket, or a tenant's.
    for (const auto& entry : guard_.entries()) {
      if (shown_number(user_of(entry.account)) == uid) settings_.forget_failures(entry.account);
    }
    audit_.lockout_reset(client, "those of uid " + std::to_string(uid));
  }
}

}  // namespace tbs::server
