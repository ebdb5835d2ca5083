#pragma once

// The words of TPM 1.2, of which tpm2-tss knows nothing: these tables are our own. Source: TPM Main
// Specification Level 2, Part 2 "Structures" and Part 3 "Commands", revision 116.

#include <cstddef>
#include <cstdint>

#include "proto/tpm12/ordinals.h"
#include "proto/tpm12/response_code.h"

namespace tbs::tpm12 {

// Tags say how many authorization sessions follow the parameters.
inline constexpr std::uint16_t kTagCommand = 0x00C1;
inline constexpr std::uint16_t kTagAuth1Command = 0x00C2;
inline constexpr std::uint16_t kTagAuth2Command = 0x00C3;
inline constexpr std::uint16_t kTagResponse = 0x00C4;
inline constexpr std::uint16_t kTagAuth1Response = 0x00C5;
inline constexpr std::uint16_t kTagAuth2Response = 0x00C6;

inline constexpr std::size_t kHeaderSize = 10;
inline constexpr std::size_t kHandleSize = 4;
// SHA-1: digests, nonces, HMACs and secrets.
inline constexpr std::size_t kDigestSize = 20;
// Below the line of a command: handle, nonceOdd, continueAuthSession, HMAC.
inline constexpr std::size_t kCommandAuthSize = kHandleSize + kDigestSize + 1 + kDigestSize;
// Below the line of a response: nonceEven, continueAuthSession, HMAC.
inline constexpr std::size_t kResponseAuthSize = kDigestSize + 1 + kDigestSize;
inline constexpr std::size_t kMaxAuths = 2;

// Part 2, "Structure tags": of TPM_PERMANENT_FLAGS and TPM_STCLEAR_FLAGS.
inline constexpr std::uint16_t kTagPermanentFlags = 0x001F;
inline constexpr std::uint16_t kTagVolatileFlags = 0x0020;

// Part 2, "Resource types".
enum class Kind : std::uint8_t { Key = 1, Auth = 2, Transport = 4, Daa = 8 };
inline constexpr std::uint32_t kResourceContext = 5;

// Handles that stand for something the TPM holds for ever (Part 2, "Reserved key handles"): the
// SRK, the owner, ... They mean the same to everybody.
inline constexpr std::uint32_t kReservedSrk = 0x40000000;
inline constexpr std::uint32_t kReservedTransport = 0x40000003;
constexpr bool is_reserved(std::uint32_t handle) {
  return handle >> 24 == kReservedSrk >> 24;
}

// Part 2, "TPM_STARTUP_TYPE".
inline constexpr std::uint16_t kStartupClear = 1;

// Part 2, "Entity types"; the high byte says how secrets are encrypted.
namespace entity {
inline constexpr std::uint8_t kKeyHandle = 1;
inline constexpr std::uint8_t kDelegatedKeyBlob = 9;
}  // namespace entity

// Part 2, "Capability areas" and "Sub-capabilities of TPM_CAP_PROPERTY".
namespace cap {
inline constexpr std::uint32_t kFlag = 4;
inline constexpr std::uint32_t kProperty = 5;
inline constexpr std::uint32_t kKeyHandle = 7;
inline constexpr std::uint32_t kCheckLoaded = 8;
inline constexpr std::uint32_t kKeyStatus = 0x0C;
inline constexpr std::uint32_t kNvList = 0x0D;
inline constexpr std::uint32_t kHandle = 0x14;
}  // namespace cap
namespace flag {
inline constexpr std::uint32_t kPermanent = 0x108;
inline constexpr std::uint32_t kVolatile = 0x109;
}  // namespace flag
namespace prop {
inline constexpr std::uint32_t kPcrs = 0x101;
inline constexpr std::uint32_t kManufacturer = 0x103;
inline constexpr std::uint32_t kKeys = 0x104;  // that can still be loaded
inline constexpr std::uint32_t kAuthSessions = 0x10A;
inline constexpr std::uint32_t kTransportSessions = 0x10B;
inline constexpr std::uint32_t kMaxAuthSessions = 0x10D;
inline constexpr std::uint32_t kMaxTransportSessions = 0x10E;
inline constexpr std::uint32_t kMaxKeys = 0x110;
inline constexpr std::uint32_t kOwner = 0x111;     // whether there is one
inline constexpr std::uint32_t kContexts = 0x112;  // sessions that can still be saved
inline constexpr std::uint32_t kMaxContexts = 0x113;
inline constexpr std::uint32_t kContextDistance = 0x11B;
inline constexpr std::uint32_t kSessions = 0x11D;
inline constexpr std::uint32_t kMaxSessions = 0x11E;
}  // namespace prop

}  // namespace tbs::tpm12
