#pragma once

// The cryptography that a TPM 1.2 client needs, from OpenSSL.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace tbs::test::client12 {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;
using Digest = std::array<std::uint8_t, 20>;

Digest sha1(std::initializer_list<View> parts);
Digest hmac_sha1(View key, std::initializer_list<View> parts);
Digest random_nonce();

// RSAES-OAEP with SHA-1 and the label "TCPA"; the public exponent is 65537.
Bytes oaep_encrypt(View modulus, View secret);
// RSASSA-PKCS1-v1_5 with SHA-1.
bool signature_is_good(View modulus, const Digest& digest, View signature);

}  // namespace tbs::test::client12
