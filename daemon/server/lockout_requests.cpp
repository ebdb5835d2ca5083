// What clients ask about the lockout guard.

#include <algorithm>
#include <ctime>
#include <utility>

#include "daemon/host/audit.h"
#include "daemon/server/server.h"

namespace tbs::server {

using proto::Status;

std::uint64_t Server::wall_clock() {
  // Seconds come without a system call, whatever the kernel thinks of the processor's counter.
  return static_cast<std::uint64_t>(std::time(nullptr));
}

void Server::handle_lockout_status(Client& client, const proto::Frame& frame) {
  const std::uint64_t now = wall_clock();
  const policy::LockoutLimits limits = command_filter_.guard().in_force();
  proto::LockoutStatusReply reply{.window = static_cast<std::uint32_t>(limits.window),
                                  .per_user = static_cast<std::uint32_t>(limits.per_user),
                                  .total = static_cast<std::uint32_t>(limits.total)};
  for (const auto& entry : command_filter_.guard().entries(now)) {
    if (!client.peer.administrator && entry.user != client.peer.user) continue;
    if (reply.entries.size() == proto::kMaxLockoutEntries) break;
    reply.entries.push_back({.uid = static_cast<std::uint32_t>(entry.user),
                             .failures = static_cast<std::uint32_t>(entry.failures),
                             .locked = entry.locked ? 1U : 0U,
                             .seconds = static_cast<std::uint32_t>(entry.until - now)});
  }
  client.connection->send(frame.request_id, std::move(reply));
}

void Server::handle_lockout_reset(Client& client, const proto::Frame& frame) {
  const auto request = proto::decode<proto::LockoutReset>(frame.payload);
  if (!request) {
    refuse(client, Status::BadParameter, "a malformed lockout-reset");
    return;
  }
  const bool allowed = client.peer.administrator;
  if (allowed) {
    if (request->uid == proto::kNobody) {
      command_filter_.guard().reset_all();
    } else {
      command_filter_.guard().reset(UserId{request->uid});
    }
    const std::string whose = request->uid == proto::kNobody
                                  ? "all failures"
                                  : "those of uid " + std::to_string(request->uid);
    host::audit(spdlog::level::info, proto::Event::Lockout, fields_of(client),
                name_of(client) + " made the lockout guard forget " + whose);
    guard_changed_(command_filter_.guard().to_text());
  }
  client.connection->send(
      frame.request_id,
      proto::LockoutResetReply{.status = allowed ? Status::Success : Status::AccessDenied});
}

}  // namespace tbs::server
