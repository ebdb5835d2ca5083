#pragma once

// How TBS return codes look to tpm2-tss. Two kinds:
//
// What goes wrong with the connection is a return code of the TCTI. What goes wrong with one
// command is a response of ten bytes with a code of the resource manager's layer, as from any
// resource manager: ESYS takes that for the answer to the command and can go on, while a return
// code of the TCTI leaves an ESYS context unusable. A cancelled command has the TPM's own
// TPM_RC_CANCELED.

#include <cstdint>
#include <optional>

#include <tss2/tss2_common.h>

#include "proto/status.h"

namespace tbs::tcti {

// For the end of a connection, or one that could not be made.
TSS2_RC connection_code(proto::Status status);

// The response code of a command that ended with this; nothing when it was the connection that
// ended.
std::optional<std::uint32_t> response_code(proto::Status status);

}  // namespace tbs::tcti
