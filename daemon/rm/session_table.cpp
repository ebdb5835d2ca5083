#include "daemon/rm/session_table.h"

#include <algorithm>
#include <utility>

#include "proto/tpm/constants.h"

namespace tbs::rm {
namespace {

std::uint32_t index_of(exec::PhysicalHandle handle) {
  return tpm::handle_index(exec::number_of(handle));
}

AccountId account_of_session(const Session& session) {
  return session.principal.account;
}

}  // namespace

Session& SessionTable::add(exec::PhysicalHandle handle, ContextId owner,
                           const Principal& principal) {
  if (Session* const stale = find(handle)) erase(*stale);
  Session& session = sessions_[index_of(handle)];
  session.handle = handle;
  session.owner = owner;
  session.principal = principal;
  ++loaded_;
  return session;
}

bool SessionTable::put_back(const Session& session) {
  if (!tpm::is_session(exec::number_of(session.handle))) return false;
  if (!sessions_.try_emplace(index_of(session.handle), session).second) return false;
  if (session.loaded) ++loaded_;
  if (session.sticky) ++sticky_;
  return true;
}

void SessionTable::erase(Session& session) {
  if (session.loaded) --loaded_;
  set_sticky(session, false);
  sessions_.erase(index_of(session.handle));
}

// Who only looks at the table plans what others will do with the session.
Session* SessionTable::find(exec::PhysicalHandle handle) const {
  const auto entry = sessions_.find(index_of(handle));
  return entry == sessions_.end() ? nullptr : const_cast<Session*>(&entry->second);
}

void SessionTable::set_loaded(Session& session) {
  if (!session.loaded) ++loaded_;
  session.loaded = true;
  session.saved.clear();
}

void SessionTable::set_saved(Session& session, proto::Buffer blob, std::uint64_t sequence,
                             std::uint64_t gap) {
  if (session.loaded) --loaded_;
  session.loaded = false;
  session.saved.store(std::move(blob));
  numbering_.newest += step_to(sequence, gap);
  numbering_.reported = sequence;
  session.age_mark = numbering_.newest;
}

// Sessions of others move the TPM's counter as well, but never by more than the gap while one of
// ours is saved. What is more than that, or goes back, is no number of the TPM's counter, or
// nothing that ours have to keep up with: then only our own save counts, and the next number is
// taken against this one.
std::uint64_t SessionTable::step_to(std::uint64_t sequence, std::uint64_t gap) const {
  if (!numbering_.reported || sequence <= *numbering_.reported) return 1;
  const std::uint64_t step = sequence - *numbering_.reported;
  return step <= gap ? step : 1;
}

void SessionTable::set_sticky(Session& session, bool sticky) {
  if (session.sticky == sticky) return;
  session.sticky = sticky;
  sticky ? ++sticky_ : --sticky_;
}

std::vector<Session*> SessionTable::all() {
  std::vector<Session*> sessions;
  sessions.reserve(sessions_.size());
  for (auto& [index, session] : sessions_) sessions.push_back(&session);
  return sessions;
}

std::size_t SessionTable::count(ContextId owner) const {
  return static_cast<std::size_t>(std::ranges::count(each(), owner, &Session::owner));
}

std::size_t SessionTable::count(AccountId account) const {
  return static_cast<std::size_t>(std::ranges::count(each(), account, account_of_session));
}

std::size_t SessionTable::orphans(AccountId account) const {
  return static_cast<std::size_t>(std::ranges::count_if(each(), [account](const Session& session) {
    return session.orphan() && session.principal.account == account;
  }));
}

exec::Usage SessionTable::usage() const {
  exec::Usage usage;
  for (const Session& session : each()) {
    const AccountId account = session.principal.account;
    usage.sessions_of_account.see(count(account), account);
    if (session.owner) {
      usage.sessions_of_context.see(count(*session.owner), account);
    } else {
      usage.orphans_of_account.see(orphans(account), account);
    }
  }
  return usage;
}

Session* SessionTable::oldest_orphan(AccountId account) {
  Session* oldest = nullptr;
  for (Session& session : each()) {
    if (!session.orphan() || session.principal.account != account) continue;
    if (oldest == nullptr || session.last_used < oldest->last_used) oldest = &session;
  }
  return oldest;
}

}  // namespace tbs::rm
