#pragma once

// Numbers of TPM 1.2 (TPM Main Specification Level 2, Part 2 "Structures" and Part 3 "Commands",
// revision 116) that the daemon has to know.

#include <cstddef>
#include <cstdint>

namespace tbs::tpm12 {

// Tags say how many authorization sessions follow the parameters.
inline constexpr std::uint16_t kTagCommand = 0x00C1;
inline constexpr std::uint16_t kTagAuth1Command = 0x00C2;
inline constexpr std::uint16_t kTagAuth2Command = 0x00C3;
inline constexpr std::uint16_t kTagResponse = 0x00C4;

inline constexpr std::size_t kHeaderSize = 10;
inline constexpr std::size_t kHandleSize = 4;
// Below the line of a command: handle, nonceOdd, continueAuthSession, HMAC.
inline constexpr std::size_t kCommandAuthSize = 4 + 20 + 1 + 20;
// Below the line of a response: nonceEven, continueAuthSession, HMAC.
inline constexpr std::size_t kResponseAuthSize = 20 + 1 + 20;
inline constexpr std::size_t kMaxAuths = 2;

// Part 2, "Resource types".
enum class Kind : std::uint8_t { Key = 1, Auth = 2, Transport = 4, Daa = 8 };
inline constexpr std::uint32_t kResourceContext = 5;

// Handles that stand for something the TPM holds for ever (Part 2, "Reserved key handles"): the
// SRK, the owner, ... They mean the same to everybody.
inline constexpr std::uint32_t kReservedSrk = 0x40000000;
constexpr bool is_reserved(std::uint32_t handle) {
  return handle >> 24 == 0x40;
}

// Part 2, "Entity types"; the high byte says how secrets are encrypted.
namespace entity {
inline constexpr std::uint8_t kKeyHandle = 1;
inline constexpr std::uint8_t kDelegatedKeyBlob = 9;
}  // namespace entity

namespace ord {
inline constexpr std::uint32_t kOiap = 0x0A;
inline constexpr std::uint32_t kOsap = 0x0B;
inline constexpr std::uint32_t kTakeOwnership = 0x0D;
inline constexpr std::uint32_t kChangeAuthAsymStart = 0x0E;
inline constexpr std::uint32_t kChangeAuthAsymFinish = 0x0F;
inline constexpr std::uint32_t kChangeAuthOwner = 0x10;
inline constexpr std::uint32_t kDsap = 0x11;
inline constexpr std::uint32_t kCmkCreateKey = 0x13;
inline constexpr std::uint32_t kExtend = 0x14;
inline constexpr std::uint32_t kPcrRead = 0x15;
inline constexpr std::uint32_t kQuote = 0x16;
inline constexpr std::uint32_t kSeal = 0x17;
inline constexpr std::uint32_t kUnseal = 0x18;
inline constexpr std::uint32_t kCreateWrapKey = 0x1F;
inline constexpr std::uint32_t kLoadKey = 0x20;
inline constexpr std::uint32_t kGetPubKey = 0x21;
inline constexpr std::uint32_t kEvictKey = 0x22;
inline constexpr std::uint32_t kKeyControlOwner = 0x23;
inline constexpr std::uint32_t kDaaJoin = 0x29;
inline constexpr std::uint32_t kDaaSign = 0x31;
inline constexpr std::uint32_t kCertifyKey = 0x32;
inline constexpr std::uint32_t kSign = 0x3C;
inline constexpr std::uint32_t kLoadKey2 = 0x41;
inline constexpr std::uint32_t kGetRandom = 0x46;
inline constexpr std::uint32_t kSelfTestFull = 0x50;
inline constexpr std::uint32_t kContinueSelfTest = 0x53;
inline constexpr std::uint32_t kGetTestResult = 0x54;
inline constexpr std::uint32_t kReset = 0x5A;
inline constexpr std::uint32_t kOwnerClear = 0x5B;
inline constexpr std::uint32_t kForceClear = 0x5D;
inline constexpr std::uint32_t kGetCapability = 0x65;
inline constexpr std::uint32_t kCreateEndorsementKeyPair = 0x78;
inline constexpr std::uint32_t kMakeIdentity = 0x79;
inline constexpr std::uint32_t kReadPubek = 0x7C;
inline constexpr std::uint32_t kCreateRevocableEk = 0x7F;
inline constexpr std::uint32_t kRevokeTrust = 0x80;
inline constexpr std::uint32_t kTerminateHandle = 0x96;
inline constexpr std::uint32_t kSaveState = 0x98;
inline constexpr std::uint32_t kStartup = 0x99;
inline constexpr std::uint32_t kSha1CompleteExtend = 0xA3;
inline constexpr std::uint32_t kFieldUpgrade = 0xAA;
inline constexpr std::uint32_t kSaveKeyContext = 0xB4;
inline constexpr std::uint32_t kLoadKeyContext = 0xB5;
inline constexpr std::uint32_t kSaveAuthContext = 0xB6;
inline constexpr std::uint32_t kLoadAuthContext = 0xB7;
inline constexpr std::uint32_t kSaveContext = 0xB8;
inline constexpr std::uint32_t kLoadContext = 0xB9;
inline constexpr std::uint32_t kFlushSpecific = 0xBA;
inline constexpr std::uint32_t kPcrReset = 0xC8;
inline constexpr std::uint32_t kNvDefineSpace = 0xCC;
inline constexpr std::uint32_t kNvWriteValue = 0xCD;
inline constexpr std::uint32_t kNvWriteValueAuth = 0xCE;
inline constexpr std::uint32_t kNvReadValue = 0xCF;
inline constexpr std::uint32_t kNvReadValueAuth = 0xD0;
inline constexpr std::uint32_t kEstablishTransport = 0xE6;
inline constexpr std::uint32_t kExecuteTransport = 0xE7;
inline constexpr std::uint32_t kReleaseTransportSigned = 0xE8;
inline constexpr std::uint32_t kGetTicks = 0xF1;
inline constexpr std::uint32_t kVendorBit = 0x20000000;
}  // namespace ord

namespace rc {
inline constexpr std::uint32_t kSuccess = 0x00;
inline constexpr std::uint32_t kBadParameter = 0x03;
inline constexpr std::uint32_t kDisabledCommand = 0x08;
inline constexpr std::uint32_t kFail = 0x09;
inline constexpr std::uint32_t kBadOrdinal = 0x0A;
inline constexpr std::uint32_t kInvalidKeyHandle = 0x0C;
inline constexpr std::uint32_t kNoSpace = 0x11;
inline constexpr std::uint32_t kResources = 0x15;
inline constexpr std::uint32_t kBadParamSize = 0x19;
inline constexpr std::uint32_t kBadTag = 0x1E;
inline constexpr std::uint32_t kInvalidAuthHandle = 0x22;
inline constexpr std::uint32_t kInvalidPostInit = 0x26;
inline constexpr std::uint32_t kInvalidResource = 0x35;
inline constexpr std::uint32_t kKeyOwnerControl = 0x44;
inline constexpr std::uint32_t kContextGap = 0x47;
inline constexpr std::uint32_t kResourceMissing = 0x4A;
inline constexpr std::uint32_t kOwnerControl = 0x4F;
inline constexpr std::uint32_t kBadHandle = 0x58;
inline constexpr std::uint32_t kBadContext = 0x5A;
inline constexpr std::uint32_t kTooManyContexts = 0x5B;
inline constexpr std::uint32_t kNoContextSpace = 0x63;
inline constexpr std::uint32_t kRetry = 0x800;
inline constexpr std::uint32_t kNeedsSelfTest = 0x801;
inline constexpr std::uint32_t kDoingSelfTest = 0x802;
// Made up by Windows, for what its service decides (winerror.h).
inline constexpr std::uint32_t kDuplicateHandle = 0x80280402;
inline constexpr std::uint32_t kEmbeddedUnsupported = 0x80280404;
}  // namespace rc

// Part 2, "Capability areas" and "Sub-capabilities of TPM_CAP_PROPERTY".
namespace cap {
inline constexpr std::uint32_t kProperty = 5;
inline constexpr std::uint32_t kKeyHandle = 7;
inline constexpr std::uint32_t kCheckLoaded = 8;
inline constexpr std::uint32_t kKeyStatus = 0x0C;
inline constexpr std::uint32_t kHandle = 0x14;
}  // namespace cap
namespace prop {
inline constexpr std::uint32_t kKeys = 0x104;  // that can still be loaded
inline constexpr std::uint32_t kAuthSessions = 0x10A;
inline constexpr std::uint32_t kTransportSessions = 0x10B;
inline constexpr std::uint32_t kMaxAuthSessions = 0x10D;
inline constexpr std::uint32_t kMaxTransportSessions = 0x10E;
inline constexpr std::uint32_t kMaxKeys = 0x110;
inline constexpr std::uint32_t kContexts = 0x112;  // sessions that can still be saved
inline constexpr std::uint32_t kMaxContexts = 0x113;
inline constexpr std::uint32_t kContextDistance = 0x11B;
inline constexpr std::uint32_t kSessions = 0x11D;
inline constexpr std::uint32_t kMaxSessions = 0x11E;
}  // namespace prop

}  // namespace tbs::tpm12
