#pragma once

// What a TBS service puts in the header of a response that it makes itself: HRESULTs of the
// facility "TPM services". Source: winerror.h of Windows.

#include <cstdint>

namespace tbs::proto::service {

// The upper half of all these codes. Codes of a TPM are passed on in the lower half.
inline constexpr std::uint32_t kFacilityMask = 0xFFFF0000;
inline constexpr std::uint32_t kFacility = 0x80280000;
// Those of TBS itself, which functions return (proto/status.h).
inline constexpr std::uint32_t kTbsMask = 0xFFFFFF00;
inline constexpr std::uint32_t kTbs = 0x80284000;

inline constexpr std::uint32_t kCommandBlocked = 0x80280400;
inline constexpr std::uint32_t kInvalidHandle = 0x80280401;
inline constexpr std::uint32_t kDuplicateHandle = 0x80280402;
inline constexpr std::uint32_t kEmbeddedCommandBlocked = 0x80280403;
inline constexpr std::uint32_t kEmbeddedCommandUnsupported = 0x80280404;
inline constexpr std::uint32_t kRetry = 0x80280800;
inline constexpr std::uint32_t kNeedsSelfTest = 0x80280801;
inline constexpr std::uint32_t kDoingSelfTest = 0x80280802;
inline constexpr std::uint32_t kDefendLockRunning = 0x80280803;

}  // namespace tbs::proto::service
