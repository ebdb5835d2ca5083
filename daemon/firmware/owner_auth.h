#pragma once

// The authorization values of the TPM's owner, as far as the administrator has stored them: one
// file for each type in the folder `owner-auth` of the daemon's state, holding the value's bytes
// and nothing else.
//
// A file that others than its owner can read or change is not used, nor is one that belongs neither
// to user 0 nor to the daemon: whoever can write it could make a program lock the TPM out.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "daemon/firmware/log_part.h"

namespace tbs::firmware {

// The value. OwnerAuthNotFound when it is not stored or its file cannot be trusted. Blocks.
std::expected<proto::Buffer, ReadFailure> read_owner_auth(const std::string& folder,
                                                          std::string_view name);

}  // namespace tbs::firmware
