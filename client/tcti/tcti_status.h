#pragma once

// How TBS return codes look to tpm2-tss. Two kinds:
//
// A connection that cannot be made at the start is a return code of the TCTI. A command that has no
// response, whatever the reason, gets one of ten bytes with a code of the resource manager's layer,
// as from any resource manager: ESYS takes that for the answer to the command and can go on, while
// a return code of the TCTI leaves an ESYS context unusable. A cancelled command has the TPM's own
// TPM_RC_CANCELED.

#include <cstdint>

#include <tss2/tss2_common.h>

#include "proto/status.h"

namespace tbs::tcti {

// For a connection that could not be made, and for what is no command.
TSS2_RC connection_code(proto::Status status);

// The response code of a command that ended with this. Never one after which ESYS would go on
// waiting, or send the command again.
std::uint32_t response_code(proto::Status status);

}  // namespace tbs::tcti
