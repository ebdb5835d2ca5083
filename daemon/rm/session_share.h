#pragma once

// Who gives up a session when there are too many. Active sessions are few (64 for everybody), so
// the user who holds most pays: with the orphan that has waited longest, or else with the session
// that was used least recently. Nobody loses a session to a user who holds more.

#include <chrono>
#include <functional>
#include <optional>
#include <span>

#include "daemon/rm/session_table.h"

namespace tbs::rm {

// The session that must go so that `user` can have one more when the TPM has no more session
// handles; null when `user` has no right to anybody's. `keep` says which must not be chosen.
Session* session_to_drop(SessionTable& sessions, AccountId account, std::span<Session* const> keep);

// The orphan that has outlived `lifetime`, oldest first; null when there is none. `now` is called
// only where there are orphans: this is asked after each command.
Session* expired_orphan(SessionTable& sessions, const std::function<TimePoint()>& now,
                        std::chrono::seconds lifetime);

// When the next orphan outlives `lifetime`; empty when there is none.
std::optional<TimePoint> next_orphan_expiry(const SessionTable& sessions,
                                            std::chrono::seconds lifetime);

}  // namespace tbs::rm
