#pragma once

// The return codes of TPM 1.2, of which tpm2-tss knows nothing. Source: TPM Main Specification
// Level 2, Part 2 "Structures", "Return Codes", revision 116.

#include <cstdint>

namespace tbs::tpm12::rc {

inline constexpr std::uint32_t kSuccess = 0x00;
inline constexpr std::uint32_t kAuthFail = 0x01;
inline constexpr std::uint32_t kBadIndex = 0x02;
inline constexpr std::uint32_t kBadParameter = 0x03;
inline constexpr std::uint32_t kAuditFailure = 0x04;
inline constexpr std::uint32_t kClearDisabled = 0x05;
inline constexpr std::uint32_t kDeactivated = 0x06;
inline constexpr std::uint32_t kDisabled = 0x07;
inline constexpr std::uint32_t kDisabledCommand = 0x08;
inline constexpr std::uint32_t kFail = 0x09;
inline constexpr std::uint32_t kBadOrdinal = 0x0A;
inline constexpr std::uint32_t kInstallDisabled = 0x0B;
inline constexpr std::uint32_t kInvalidKeyHandle = 0x0C;
inline constexpr std::uint32_t kKeyNotFound = 0x0D;
inline constexpr std::uint32_t kInappropriateEnc = 0x0E;
inline constexpr std::uint32_t kMigrateFail = 0x0F;
inline constexpr std::uint32_t kInvalidPcrInfo = 0x10;
inline constexpr std::uint32_t kNoSpace = 0x11;
inline constexpr std::uint32_t kNoSrk = 0x12;
inline constexpr std::uint32_t kNotSealedBlob = 0x13;
inline constexpr std::uint32_t kOwnerSet = 0x14;
inline constexpr std::uint32_t kResources = 0x15;
inline constexpr std::uint32_t kShortRandom = 0x16;
inline constexpr std::uint32_t kSize = 0x17;
inline constexpr std::uint32_t kWrongPcrValue = 0x18;
inline constexpr std::uint32_t kBadParamSize = 0x19;
inline constexpr std::uint32_t kShaThread = 0x1A;
inline constexpr std::uint32_t kShaError = 0x1B;
inline constexpr std::uint32_t kFailedSelfTest = 0x1C;
inline constexpr std::uint32_t kAuth2Fail = 0x1D;
inline constexpr std::uint32_t kBadTag = 0x1E;
inline constexpr std::uint32_t kIoError = 0x1F;
inline constexpr std::uint32_t kEncryptError = 0x20;
inline constexpr std::uint32_t kDecryptError = 0x21;
inline constexpr std::uint32_t kInvalidAuthHandle = 0x22;
inline constexpr std::uint32_t kNoEndorsement = 0x23;
inline constexpr std::uint32_t kInvalidKeyUsage = 0x24;
inline constexpr std::uint32_t kWrongEntityType = 0x25;
inline constexpr std::uint32_t kInvalidPostInit = 0x26;
inline constexpr std::uint32_t kInappropriateSig = 0x27;
inline constexpr std::uint32_t kBadKeyProperty = 0x28;
inline constexpr std::uint32_t kBadMigration = 0x29;
inline constexpr std::uint32_t kBadScheme = 0x2A;
inline constexpr std::uint32_t kBadDataSize = 0x2B;
inline constexpr std::uint32_t kBadMode = 0x2C;
inline constexpr std::uint32_t kBadPresence = 0x2D;
inline constexpr std::uint32_t kBadVersion = 0x2E;
inline constexpr std::uint32_t kNoWrapTransport = 0x2F;
inline constexpr std::uint32_t kAuditFailUnsuccessful = 0x30;
inline constexpr std::uint32_t kAuditFailSuccessful = 0x31;
inline constexpr std::uint32_t kNotResettable = 0x32;
inline constexpr std::uint32_t kNotLocal = 0x33;
inline constexpr std::uint32_t kBadType = 0x34;
inline constexpr std::uint32_t kInvalidResource = 0x35;
inline constexpr std::uint32_t kNotFips = 0x36;
inline constexpr std::uint32_t kInvalidFamily = 0x37;
inline constexpr std::uint32_t kNoNvPermission = 0x38;
inline constexpr std::uint32_t kRequiresSign = 0x39;
inline constexpr std::uint32_t kKeyNotSupported = 0x3A;
inline constexpr std::uint32_t kAuthConflict = 0x3B;
inline constexpr std::uint32_t kAreaLocked = 0x3C;
inline constexpr std::uint32_t kBadLocality = 0x3D;
inline constexpr std::uint32_t kReadOnly = 0x3E;
inline constexpr std::uint32_t kPerNoWrite = 0x3F;
inline constexpr std::uint32_t kFamilyCount = 0x40;
inline constexpr std::uint32_t kWriteLocked = 0x41;
inline constexpr std::uint32_t kBadAttributes = 0x42;
inline constexpr std::uint32_t kInvalidStructure = 0x43;
inline constexpr std::uint32_t kKeyOwnerControl = 0x44;
inline constexpr std::uint32_t kBadCounter = 0x45;
inline constexpr std::uint32_t kNotFullWrite = 0x46;
inline constexpr std::uint32_t kContextGap = 0x47;
inline constexpr std::uint32_t kMaxNvWrites = 0x48;
inline constexpr std::uint32_t kNoOperator = 0x49;
inline constexpr std::uint32_t kResourceMissing = 0x4A;
inline constexpr std::uint32_t kDelegateLock = 0x4B;
inline constexpr std::uint32_t kDelegateFamily = 0x4C;
inline constexpr std::uint32_t kDelegateAdmin = 0x4D;
inline constexpr std::uint32_t kTransportNotExclusive = 0x4E;
inline constexpr std::uint32_t kOwnerControl = 0x4F;
inline constexpr std::uint32_t kBadHandle = 0x58;
inline constexpr std::uint32_t kBadDelegate = 0x59;
inline constexpr std::uint32_t kBadContext = 0x5A;
inline constexpr std::uint32_t kTooManyContexts = 0x5B;
inline constexpr std::uint32_t kPermanentEk = 0x61;
inline constexpr std::uint32_t kBadSignature = 0x62;
inline constexpr std::uint32_t kNoContextSpace = 0x63;
inline constexpr std::uint32_t kRetry = 0x800;
inline constexpr std::uint32_t kNeedsSelfTest = 0x801;
inline constexpr std::uint32_t kDoingSelfTest = 0x802;
inline constexpr std::uint32_t kDefendLockRunning = 0x803;

// Set in the codes that are defined by the maker of the TPM.
inline constexpr std::uint32_t kVendorBit = 0x400;

}  // namespace tbs::tpm12::rc
