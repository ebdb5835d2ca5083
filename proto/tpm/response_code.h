#pragma once

// TPM 2.0 response codes. Source: TPM 2.0 Library, Part 2, "TPM_RC", and Part 1, "Response Code
// Formats"; the numbers are those of tpm2-tss.

#include <cstdint>

#include <tss2/tss2_common.h>
#include <tss2/tss2_tpm2_types.h>

namespace tbs::tpm {

namespace rc {
inline constexpr std::uint32_t kSuccess = TPM2_RC_SUCCESS;
inline constexpr std::uint32_t kBadTag = TPM2_RC_BAD_TAG;
inline constexpr std::uint32_t kInitialize = TPM2_RC_INITIALIZE;
inline constexpr std::uint32_t kFailure = TPM2_RC_FAILURE;
inline constexpr std::uint32_t kCommandSize = TPM2_RC_COMMAND_SIZE;
inline constexpr std::uint32_t kCommandCode = TPM2_RC_COMMAND_CODE;
inline constexpr std::uint32_t kAuthSize = TPM2_RC_AUTHSIZE;
inline constexpr std::uint32_t kAuthContext = TPM2_RC_AUTH_CONTEXT;
inline constexpr std::uint32_t kUpgrade = TPM2_RC_UPGRADE;
inline constexpr std::uint32_t kDisabled = TPM2_RC_DISABLED;
// Format one: the number of the handle, session or parameter is added by the functions below.
inline constexpr std::uint32_t kAsymmetric = TPM2_RC_ASYMMETRIC;
inline constexpr std::uint32_t kValue = TPM2_RC_VALUE;
inline constexpr std::uint32_t kType = TPM2_RC_TYPE;
inline constexpr std::uint32_t kHandle = TPM2_RC_HANDLE;
inline constexpr std::uint32_t kAuthFail = TPM2_RC_AUTH_FAIL;
inline constexpr std::uint32_t kSize = TPM2_RC_SIZE;
inline constexpr std::uint32_t kInsufficient = TPM2_RC_INSUFFICIENT;
inline constexpr std::uint32_t kIntegrity = TPM2_RC_INTEGRITY;
inline constexpr std::uint32_t kBadAuth = TPM2_RC_BAD_AUTH;
inline constexpr std::uint32_t kCurve = TPM2_RC_CURVE;
// Warnings.
inline constexpr std::uint32_t kContextGap = TPM2_RC_CONTEXT_GAP;
inline constexpr std::uint32_t kObjectMemory = TPM2_RC_OBJECT_MEMORY;
inline constexpr std::uint32_t kSessionMemory = TPM2_RC_SESSION_MEMORY;
inline constexpr std::uint32_t kMemory = TPM2_RC_MEMORY;
inline constexpr std::uint32_t kSessionHandles = TPM2_RC_SESSION_HANDLES;
inline constexpr std::uint32_t kObjectHandles = TPM2_RC_OBJECT_HANDLES;
inline constexpr std::uint32_t kLocality = TPM2_RC_LOCALITY;
inline constexpr std::uint32_t kYielded = TPM2_RC_YIELDED;
inline constexpr std::uint32_t kCanceled = TPM2_RC_CANCELED;
inline constexpr std::uint32_t kTesting = TPM2_RC_TESTING;
inline constexpr std::uint32_t kReferenceH0 = TPM2_RC_REFERENCE_H0;
inline constexpr std::uint32_t kReferenceH6 = TPM2_RC_REFERENCE_H6;
inline constexpr std::uint32_t kReferenceS0 = TPM2_RC_REFERENCE_S0;
inline constexpr std::uint32_t kReferenceS6 = TPM2_RC_REFERENCE_S6;
inline constexpr std::uint32_t kNvSpace = TPM2_RC_NV_SPACE;
inline constexpr std::uint32_t kNvRate = TPM2_RC_NV_RATE;
inline constexpr std::uint32_t kLockout = TPM2_RC_LOCKOUT;
inline constexpr std::uint32_t kRetry = TPM2_RC_RETRY;

// Assigned by revisions of the library that are newer than tpm2-tss 3.2.
inline constexpr std::uint32_t kFwLimited = TPM2_RC_FMT1 + 0x028;
inline constexpr std::uint32_t kSvnLimited = TPM2_RC_FMT1 + 0x029;
inline constexpr std::uint32_t kChannel = TPM2_RC_FMT1 + 0x030;
inline constexpr std::uint32_t kChannelKey = TPM2_RC_FMT1 + 0x031;
inline constexpr std::uint32_t kReadOnly = TPM2_RC_VER1 + 0x056;

// The bits of a code. tpm2-tss has names for some of them only.
inline constexpr std::uint32_t kFormatOne = TPM2_RC_FMT1;
inline constexpr std::uint32_t kFormatOneNumber = 0x03F;
inline constexpr std::uint32_t kFormatZeroNumber = 0x07F;
inline constexpr std::uint32_t kVersion2 = TPM2_RC_VER1;
inline constexpr std::uint32_t kVendor = 0x400;
inline constexpr std::uint32_t kWarning = 0x800;
inline constexpr std::uint32_t kParameter = TPM2_RC_P;
inline constexpr std::uint32_t kSession = TPM2_RC_S;
inline constexpr std::uint32_t kPosition = TPM2_RC_N_MASK;
inline constexpr unsigned kPositionShift = 8;
inline constexpr unsigned kLayerShift = TSS2_RC_LAYER_SHIFT;

// Says that the code is the resource manager's own, as the kernel's and tpm2-abrmd's do.
inline constexpr std::uint32_t kResourceManagerLayer = TSS2_RESMGR_RC_LAYER;
}  // namespace rc

// Adds the number (from 1) of the handle, session or parameter that a format-one code is about.
constexpr std::uint32_t at_handle(std::uint32_t code, std::uint32_t number) {
  return code | number << rc::kPositionShift;
}
constexpr std::uint32_t at_session(std::uint32_t code, std::uint32_t number) {
  return code | rc::kSession | number << rc::kPositionShift;
}
constexpr std::uint32_t at_parameter(std::uint32_t code, std::uint32_t number) {
  return code | rc::kParameter | number << rc::kPositionShift;
}

// A format-one code without what it is about; any other code as it is.
constexpr std::uint32_t without_position(std::uint32_t code) {
  return (code & rc::kFormatOne) != 0 ? code & (rc::kFormatOne | rc::kFormatOneNumber) : code;
}

// TPM_RC_AUTH_FAIL, whatever it is about: the failures that the TPM counts.
constexpr bool is_auth_fail(std::uint32_t code) {
  return without_position(code) == rc::kAuthFail;
}

// The same code, said by the resource manager.
constexpr std::uint32_t by_resource_manager(std::uint32_t code) {
  return rc::kResourceManagerLayer | code;
}

}  // namespace tbs::tpm
