#include "daemon/rm/context_gap.h"

namespace tbs::rm {

Session* oldest_saved(SessionTable& sessions) {
  Session* oldest = nullptr;
  for (Session& session : sessions.each()) {
    if (session.loaded) continue;
    if (oldest == nullptr || session.sequence < oldest->sequence) oldest = &session;
  }
  return oldest;
}

Session* due_for_refresh(SessionTable& sessions, std::uint64_t gap) {
  Session* const oldest = oldest_saved(sessions);
  if (oldest == nullptr) return nullptr;
  return sessions.newest_sequence() - oldest->sequence >= gap / 2 ? oldest : nullptr;
}

}  // namespace tbs::rm
