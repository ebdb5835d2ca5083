#pragma once

// The command that revokes the attestation: it extends a PCR, so that quotes over what was measured
// at boot are worthless until the next boot.

#include <cstdint>

#include "daemon/base/family.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/status.h"

namespace tbs::server {

inline constexpr std::uint32_t kRevokedPcr = 12;

proto::Buffer revoke_command(Family family);

// What the client is told: a TPM that refuses is an error, too.
proto::Status revocation_status(proto::Status status, proto::Bytes response);

}  // namespace tbs::server
