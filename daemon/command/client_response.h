#pragma once

// Responses to a client's command, of either family.

#include <cstdint>
#include <optional>

#include "daemon/command/client_command.h"

namespace tbs {

// What the TPM says became of the command: of the one inside a transport session, where there is
// one; of the one around it, when that one failed and the other never ran. Nothing when the bytes
// are no response.
std::optional<std::uint32_t> result_of(const ClientCommand& command, proto::Bytes response);

// A response that is only a header.
proto::Buffer bare_response(Family family, std::uint32_t code);

}  // namespace tbs
