#include "daemon/server/admission.h"

#include <algorithm>

namespace tbs::server {
namespace {

using proto::Status;

// Connections that are no context: tools that look at the daemon, and clients that have just come.
constexpr std::size_t kExtraConnections = 64;
constexpr std::size_t kExtraConnectionsOfAccount = 32;

// Contexts, and connections, that administrators have besides those of users.
constexpr std::size_t kAdministratorsPlaces = 64;

// Of the users' places this part is for accounts that have few.
constexpr std::size_t kPartForFew = 64;
constexpr std::size_t kFew = 8;

}  // namespace

void Admission::Places::take(AccountId account) {
  all.add(account);
  if (is_administrators(account)) ++of_administrators;
}

void Admission::Places::give_back(AccountId account) {
  all.remove(account);
  if (is_administrators(account)) --of_administrators;
}

bool Admission::Places::free_for(AccountId account, std::size_t for_users) const {
  if (is_administrators(account)) {
    return of_administrators < kAdministratorsPlaces || all.total() < for_users;
  }
  const std::size_t of_users = all.total() - of_administrators;
  const std::size_t kept = all.of(account) < kFew ? 0 : for_users / kPartForFew;
  return of_users + kept < for_users;
}

bool Admission::may_connect(const Peer& peer) const {
  const AccountId account = peer.principal.account;
  const std::size_t possible =
      most_connections_ - std::min(most_connections_, kAdministratorsPlaces);
  if (!connections_.free_for(account, std::min(limits_.contexts + kExtraConnections, possible))) {
    return false;
  }
  return is_administrators(account) ||
         connections_.all.of(account) <
             std::min(limits_of(peer).contexts_per_user, limits_.contexts) +
                 kExtraConnectionsOfAccount;
}

bool Admission::enter(const Peer& peer) {
  const bool allowed = may_connect(peer);
  connections_.take(peer.principal.account);
  return allowed;
}

void Admission::leave(AccountId account) {
  connections_.give_back(account);
}

Status Admission::admit(const Client& client) const {
  if (client.role == proto::Role::Observer) return Status::Success;
  // A raw context is alone.
  if (raw_context_ || (contexts_.all.total() > 0 && wants_raw(client))) {
    return Status::TooManyContexts;
  }
  const AccountId account = client.account();
  const std::size_t held = contexts_.all.of(account);
  if (!contexts_.free_for(account, limits_.contexts) ||
      (held >= limits_of(client.peer).contexts_per_user && !is_administrators(account))) {
    audit_.no_context(client, contexts_.all.total(), held);
    return Status::TooManyContexts;
  }
  const exec::TpmIdentity& tpm = sink_.identity();
  if (!tpm.family) return sink_.device().missing;
  const std::uint32_t present = tpm.family == Family::Tpm12 ? proto::kWantTpm12 : proto::kWantTpm20;
  return (client.wanted & present) != 0 ? Status::Success : Status::TpmNotFound;
}

bool Admission::open(const Client& client) {
  contexts_.take(client.peer.principal.account);
  if (!wants_raw(client)) return false;
  raw_context_ = client.id;
  return true;
}

void Admission::close(const Client& client) {
  contexts_.give_back(client.peer.principal.account);
  if (raw_context_ == client.id) raw_context_.reset();
}

bool Admission::wants_raw(const Client& client) const {
  return (client.wanted & proto::kWantRaw) != 0 && client.peer.administrator &&
         permissions_.raw_contexts;
}

}  // namespace tbs::server
