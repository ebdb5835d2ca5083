#pragma once

// Objects and sessions that a command names and that are not there, as a TPM reports them. tbsd
// looks them up before anything else and knows no bounds; a TPM reads the handles first, and each
// of them can be one only that the command takes and that it has a place for. One thing stays
// different: of two that are missing, NV memory or a persistent object before an object or a
// session, a TPM names the first, and only the TPM knows of those.

#include <cstdint>

#include "proto/byte_reader.h"

namespace tbs::ctl::bridge {

// What a TPM says to `command` instead of the resource manager's `code` (without its layer).
std::uint32_t code_of_tpm(proto::Bytes command, std::uint32_t code);

}  // namespace tbs::ctl::bridge
