#pragma once

// Structures of TPM 1.2 Part 2 that the client sends and reads.

#include <cstdint>
#include <initializer_list>

#include "tests/support/client12/crypto.h"

namespace tbs::test::client12 {

enum class KeyUse : std::uint16_t { Signing = 0x10, Storage = 0x11 };

// TPM_KEY_PARMS for RSA.
Bytes key_parameters(std::uint32_t bits, KeyUse use);
// A TPM_KEY12 that the TPM is to fill in; its use asks for authorization, always or never.
Bytes new_key(std::uint32_t bits, KeyUse use, bool authorized = true);
// The modulus in a TPM_PUBKEY.
Bytes modulus_of_public_key(View key);
// The modulus in a TPM_KEY12.
Bytes modulus_of(View key);

// A whole command: the tag says how many sessions the last of the parts has.
Bytes frame(std::uint32_t ordinal, std::size_t sessions, std::initializer_list<View> parts);
Bytes words(std::initializer_list<std::uint32_t> values);
// Bytes behind their size.
Bytes sized_bytes(View bytes);

}  // namespace tbs::test::client12
