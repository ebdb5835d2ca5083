#pragma once

// What a client is told whose command starts a TPM, or prepares it for the loss of power, and never
// reaches one: what a TPM says that was started long ago, and that it is prepared. Mistakes in the
// command are answered as a TPM answers them.

#include <optional>

#include "daemon/command/client_command.h"

namespace tbs::policy {

// Nothing for other commands, and for those whose answer only the TPM can make: with a session.
std::optional<proto::Buffer> answer_to_ignored(const ClientCommand& command);

}  // namespace tbs::policy
