#include "daemon/rm/context_gap.h"

#include <algorithm>

namespace tbs::rm {

Session* oldest_saved(SessionTable& sessions) {
  Session* oldest = nullptr;
  for (Session& session : sessions.each()) {
    if (session.loaded) continue;
    if (oldest == nullptr || session.age_mark < oldest->age_mark) oldest = &session;
  }
  return oldest;
}

Session* due_for_refresh(SessionTable& sessions, std::uint64_t gap) {
  Session* const oldest = oldest_saved(sessions);
  if (oldest == nullptr) return nullptr;
  // Refreshing one makes all others older: below their number there would be no end to it.
  const std::uint64_t allowed = std::max<std::uint64_t>(gap / 2, sessions.total() + 1);
  return sessions.age_of(*oldest) >= allowed ? oldest : nullptr;
}

}  // namespace tbs::rm
