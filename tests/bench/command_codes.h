#pragma once

// TPM_CC and other constants of TPM 2.0 Library, Part 2, as far as the benchmark sends or times
// them.

#include <cstdint>

namespace tbs::bench {

inline constexpr std::uint32_t kCcCreatePrimary = 0x131;
inline constexpr std::uint32_t kCcSign = 0x15D;
inline constexpr std::uint32_t kCcContextLoad = 0x161;
inline constexpr std::uint32_t kCcContextSave = 0x162;
inline constexpr std::uint32_t kCcFlushContext = 0x165;
inline constexpr std::uint32_t kCcStartAuthSession = 0x176;

inline constexpr std::uint32_t kRhOwner = 0x40000001;
inline constexpr std::uint32_t kRhNull = 0x40000007;
inline constexpr std::uint32_t kRsPassword = 0x40000009;

inline constexpr std::uint16_t kAlgSha256 = 0x000B;
inline constexpr std::uint16_t kAlgNull = 0x0010;
inline constexpr std::uint16_t kAlgEcdsa = 0x0018;
inline constexpr std::uint16_t kAlgEcc = 0x0023;
inline constexpr std::uint16_t kEccNistP256 = 0x0003;
inline constexpr std::uint16_t kStHashCheck = 0x8024;
inline constexpr std::uint8_t kSessionHmac = 0;
inline constexpr std::uint8_t kContinueSession = 1;

}  // namespace tbs::bench
