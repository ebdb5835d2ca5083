#pragma once

// TPM 2.0 response codes: what a code asks the resource manager to do, and responses of the
// daemon's own. Source: TPM 2.0 Library, Part 2, "TPM_RC", and Part 1, "Response Code Formats".
//
// Codes that the daemon makes itself carry the layer of the resource manager (tpm2-tss:
// TSS2_RESMGR_TPM_RC_LAYER) in bits 16 to 23; codes of the TPM are passed on as they are.

#include <cstdint>
#include <vector>

namespace tbs::tpm {

namespace rc {
inline constexpr std::uint32_t kSuccess = 0x000;
inline constexpr std::uint32_t kBadTag = 0x01E;
inline constexpr std::uint32_t kInitialize = 0x100;
inline constexpr std::uint32_t kFailure = 0x101;
inline constexpr std::uint32_t kCommandSize = 0x142;
inline constexpr std::uint32_t kCommandCode = 0x143;
inline constexpr std::uint32_t kAuthSize = 0x144;
// Format one: the number of the handle, session or parameter is added by the functions below.
inline constexpr std::uint32_t kFormatOne = 0x080;
inline constexpr std::uint32_t kFormatOneNumber = 0x03F;
inline constexpr std::uint32_t kAuthFail = 0x00E;  // the number
inline constexpr std::uint32_t kHandle = 0x08B;
inline constexpr std::uint32_t kSize = 0x095;
inline constexpr std::uint32_t kInsufficient = 0x09A;
inline constexpr std::uint32_t kIntegrity = 0x09F;
// Warnings.
inline constexpr std::uint32_t kContextGap = 0x901;
inline constexpr std::uint32_t kObjectMemory = 0x902;
inline constexpr std::uint32_t kSessionMemory = 0x903;
inline constexpr std::uint32_t kMemory = 0x904;
inline constexpr std::uint32_t kSessionHandles = 0x905;
inline constexpr std::uint32_t kObjectHandles = 0x906;
inline constexpr std::uint32_t kYielded = 0x908;
inline constexpr std::uint32_t kCanceled = 0x909;
inline constexpr std::uint32_t kTesting = 0x90A;
inline constexpr std::uint32_t kReferenceH0 = 0x910;
inline constexpr std::uint32_t kReferenceS0 = 0x918;
inline constexpr std::uint32_t kNvRate = 0x920;
inline constexpr std::uint32_t kLockout = 0x921;
inline constexpr std::uint32_t kRetry = 0x922;

inline constexpr std::uint32_t kResourceManagerLayer = 0x000B0000;
}  // namespace rc

// What a response code calls for.
enum class Remedy : std::uint8_t {
  None,         // final: success, or an error that is the client's
  Wait,         // send the same bytes again a little later
  FreeObject,   // evict an object, then send again
  FreeSession,  // evict a session, then send again
  FreeAny,      // evict an object or a session, then send again
  DropSession,  // give up an active session, then send again
  RefreshGap,   // load and save the oldest saved session, then send again
  CheckTables,  // something that should be loaded is not: look, then send again
  Start,        // the TPM was reset and wants to be started
};

Remedy remedy_of(std::uint32_t code);

// Adds the number (from 1) of the handle, session or parameter that a format-one code is about.
constexpr std::uint32_t at_handle(std::uint32_t code, std::uint32_t number) {
  return code | number << 8;
}
constexpr std::uint32_t at_session(std::uint32_t code, std::uint32_t number) {
  return code | 0x800 | number << 8;
}
constexpr std::uint32_t at_parameter(std::uint32_t code, std::uint32_t number) {
  return code | 0x040 | number << 8;
}

// TPM_RC_AUTH_FAIL, whatever it is about: the failures that the TPM counts.
constexpr bool is_auth_fail(std::uint32_t code) {
  return (code & rc::kFormatOne) != 0 && (code & rc::kFormatOneNumber) == rc::kAuthFail;
}

// The same code, said by the resource manager.
constexpr std::uint32_t by_resource_manager(std::uint32_t code) {
  return rc::kResourceManagerLayer | code;
}

// A response of nothing but a code, as a TPM sends on errors.
std::vector<std::uint8_t> bare_response(std::uint32_t code);

// The error response of the resource manager for `code` (without layer).
std::vector<std::uint8_t> refusal(std::uint32_t code);

}  // namespace tbs::tpm
