#pragma once

// Which key pair a key is. Flushing a key ends the OSAP and DSAP sessions of that key pair, which
// the TPM finds by the digest of the public key: with the same key loaded twice, those of the other
// one too.

#include <cstdint>

#include "proto/byte_reader.h"

namespace tbs::tpm12 {

using KeyIdentity = std::uint64_t;

// Might be any key.
inline constexpr KeyIdentity kUnknownKey = 0;

constexpr bool may_be_same(KeyIdentity one, KeyIdentity other) {
  return one == kUnknownKey || other == kUnknownKey || one == other;
}

// Of a TPM_KEY or TPM_KEY12 structure; kUnknownKey when the bytes are none.
KeyIdentity identity_of_key(proto::Bytes key);

// A number that tells byte strings apart.
std::uint64_t fingerprint(proto::Bytes bytes);

}  // namespace tbs::tpm12
