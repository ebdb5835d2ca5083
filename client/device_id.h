#pragma once

// The identifier of a TPM: the digest in the Name of its endorsement key, that is, SHA-256 over the
// public area of the key that the TPM derives from its endorsement seed by the template of the TCG
// ("TCG EK Credential Profile" 2.3, B.3.4, template L-2, P-256; template L-1, RSA 2048, on a TPM
// without elliptic curves). It is the same every time, also after a Clear, until somebody changes
// the endorsement seed; and no software can pretend it towards the TPM. Pure functions: whoever
// uses them sends the commands.

#include <cstdint>
#include <expected>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/status.h"

namespace tbs::client {

enum class IdKey : std::uint8_t { P256, Rsa2048 };

inline constexpr std::size_t kDeviceIdSize = 32;

// TPM2_CreatePrimary of the endorsement key, with an empty authorization.
proto::Buffer create_id_key(IdKey key);

struct IdAnswer {
  std::uint32_t response_code = 0;  // of the TPM
  std::uint32_t handle = 0;         // of the key, to be flushed; when the code is 0
  proto::Buffer id;                 // kDeviceIdSize bytes; when the code is 0
};

// What a response to the command says; IoError when it cannot be understood.
std::expected<IdAnswer, proto::Status> read_id_answer(proto::Bytes response);

// Whether this response code says that the TPM does not know the kind of key.
bool is_unknown_key_kind(std::uint32_t response_code);

}  // namespace tbs::client
