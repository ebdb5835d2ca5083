#include "daemon/server/admission.h"

#include <algorithm>

namespace tbs::server {
namespace {

using proto::Status;

// Connections that are no context: tools that look at the daemon, and clients that have just come.
constexpr std::size_t kExtraConnections = 64;
constexpr std::size_t kExtraConnectionsOfUser = 32;

}  // namespace

bool Admission::enter(const Peer& peer) {
  const std::size_t of_user = ++users_[peer.user].connections;
  return ++connections_ <= limits_.contexts + kExtraConnections &&
         of_user <= connections_allowed(peer);
}

void Admission::leave(const Peer& peer) {
  const auto account = users_.find(peer.user);
  --connections_;
  if (--account->second.connections == 0) users_.erase(account);
}

// Administrators can always look at a daemon that somebody else has filled.
std::size_t Admission::connections_allowed(const Peer& peer) const {
  if (peer.administrator) return limits_.contexts + kExtraConnections;
  return std::min(limits_of(peer).contexts_per_user, limits_.contexts) + kExtraConnectionsOfUser;
}

std::size_t Admission::contexts_of(UserId user) const {
  const auto account = users_.find(user);
  return account == users_.end() ? 0 : account->second.contexts;
}

Status Admission::admit(const Client& client) const {
  if (client.role == proto::Role::Observer) return Status::Success;
  // A raw context is alone.
  if (raw_context_ || (contexts_ > 0 && wants_raw(client))) return Status::TooManyContexts;
  const std::size_t held = contexts_of(client.peer.user);
  if (contexts_ >= limits_.contexts ||
      (held >= limits_of(client.peer).contexts_per_user && !client.peer.administrator)) {
    audit_.no_context(client, contexts_, held);
    return Status::TooManyContexts;
  }
  const exec::TpmIdentity& tpm = sink_.identity();
  if (!tpm.family) return sink_.device().missing;
  const std::uint32_t present = tpm.family == Family::Tpm12 ? proto::kWantTpm12 : proto::kWantTpm20;
  return (client.wanted & present) != 0 ? Status::Success : Status::TpmNotFound;
}

bool Admission::open(const Client& client) {
  ++contexts_;
  ++users_[client.peer.user].contexts;
  if (!wants_raw(client)) return false;
  raw_context_ = client.id;
  return true;
}

void Admission::close(const Client& client) {
  --contexts_;
  --users_[client.peer.user].contexts;
  if (raw_context_ == client.id) raw_context_.reset();
}

bool Admission::wants_raw(const Client& client) const {
  return (client.wanted & proto::kWantRaw) != 0 && client.peer.administrator &&
         permissions_.raw_contexts;
}

}  // namespace tbs::server
