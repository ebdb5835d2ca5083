#pragma once

// Calls the firmware's physical presence interface through the kernel: a folder `ppi` of files, one
// per function. Reading or writing one makes the firmware run, so it takes as long as that takes.

#include <expected>
#include <string>

#include "daemon/firmware/log_part.h"
#include "daemon/firmware/presence_request.h"

namespace tbs::firmware {

// What the function returned. PpiNotSupported when the folder is not there, PpiFunctionUnsupported
// when its file is not. Blocks.
std::expected<proto::Buffer, ReadFailure> call_presence(const std::string& folder,
                                                        const PresenceRequest& request);

}  // namespace tbs::firmware
