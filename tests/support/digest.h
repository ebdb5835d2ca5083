#pragma once

// Digests by OpenSSL, to compare what a TPM computes with.

#include <cstdint>
#include <span>
#include <vector>

namespace tbs::test {

std::vector<std::uint8_t> sha256(std::span<const std::uint8_t> message);
std::vector<std::uint8_t> hmac_sha256(std::span<const std::uint8_t> key,
                                      std::span<const std::uint8_t> message);

}  // namespace tbs::test
