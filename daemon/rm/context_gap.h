#pragma once

// The context gap: a TPM numbers saved sessions with a counter and stores only its low bits, so no
// saved session may fall further behind the counter than TPM_PT_CONTEXT_GAP_MAX. Past that the TPM
// saves and makes no session (TPM_RC_CONTEXT_GAP) until the oldest was loaded. So the oldest are
// loaded and saved anew in time, always in the order of their sequence numbers: with the gap used
// up and one slot free, the TPM loads no other than the oldest.
// Source: TPM 2.0 Library, Part 1, "Context Management", "Sequence Number".

#include "daemon/rm/session_table.h"

namespace tbs::rm {

// The session that was saved first of all; null when none is saved.
Session* oldest_saved(SessionTable& sessions);

// The oldest saved session if it has used up so much of the gap that it should be refreshed: half,
// so that even 64 sessions of the same age are done in time with a gap of 255, and so that the
// kernel's own sessions, which move the same counter unseen, find room.
Session* due_for_refresh(SessionTable& sessions, std::uint64_t gap);

}  // namespace tbs::rm
