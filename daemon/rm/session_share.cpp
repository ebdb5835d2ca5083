#include "daemon/rm/session_share.h"

#include <algorithm>
#include <map>
#include <span>

namespace tbs::rm {
namespace {

// The account with most sessions, counting the one that `asking` wants. Ties go against the others
// only if they hold strictly more than `asking` would. Administrators never pay for others.
AccountId payer(SessionTable& sessions, AccountId asking) {
  std::map<AccountId, std::size_t> held;
  held[asking] = 1;
  for (const Session& session : sessions.each()) ++held[session.principal.account];
  std::erase_if(held, [asking](const auto& entry) {
    return entry.first != asking && is_administrators(entry.first);
  });
  if (is_administrators(asking) && held.size() > 1) held[asking] = 0;
  AccountId most = asking;
  for (const auto& [account, count] : held) {
    if (count > held[most]) most = account;
  }
  return most;
}

}  // namespace

Session* session_to_drop(SessionTable& sessions, AccountId account,
                         std::span<Session* const> keep) {
  const AccountId who = payer(sessions, account);
  if (Session* const orphan = sessions.oldest_orphan(who)) return orphan;
  if (who == account) return nullptr;
  Session* victim = nullptr;
  for (Session& session : sessions.each()) {
    if (session.principal.account != who || std::ranges::find(keep, &session) != keep.end())
      continue;
    if (victim == nullptr || session.last_used < victim->last_used) victim = &session;
  }
  return victim;
}

Session* expired_orphan(SessionTable& sessions, const std::function<TimePoint()>& now,
                        std::chrono::seconds lifetime) {
  Session* oldest = nullptr;
  for (Session& session : sessions.each()) {
    if (!session.orphan()) continue;
    if (oldest == nullptr || session.orphaned_at < oldest->orphaned_at) oldest = &session;
  }
  return oldest != nullptr && now() - oldest->orphaned_at >= lifetime ? oldest : nullptr;
}

std::optional<TimePoint> next_orphan_expiry(const SessionTable& sessions,
                                            std::chrono::seconds lifetime) {
  std::optional<TimePoint> next;
  for (const Session& session : sessions.each()) {
    if (!session.orphan()) continue;
    const TimePoint expiry = session.orphaned_at + lifetime;
    if (!next || expiry < *next) next = expiry;
  }
  return next;
}

}  // namespace tbs::rm
