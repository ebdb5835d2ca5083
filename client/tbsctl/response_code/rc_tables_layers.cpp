#include <array>

#include "client/tbsctl/response_code/rc_tables.h"
#include "proto/service_codes.h"
#include "proto/tpm/response_code.h"

namespace tbs::ctl {
namespace {

// TCG TSS 2.0 Overview and Common Structures, "TSS2_RC layers". The Linux kernel and tbsd use 11
// for both kinds of resource manager answer, as tpm2-tss expects.
// Of tpm2-tss from 4.0 on.
constexpr std::uint32_t kPolicyLayer = TSS2_RC_LAYER(13);
constexpr std::array kLayers = {
    RcRow{TSS2_FEATURE_RC_LAYER, "FAPI", "feature API"},
    RcRow{TSS2_ESAPI_RC_LAYER, "ESAPI", "enhanced system API"},
    RcRow{TSS2_SYS_RC_LAYER, "SAPI", "system API"},
    RcRow{TSS2_MU_RC_LAYER, "MU", "marshalling"},
    RcRow{TSS2_TCTI_RC_LAYER, "TCTI", "TCTI"},
    RcRow{TSS2_RESMGR_RC_LAYER, "RESMGR", "resource manager"},
    RcRow{TSS2_RESMGR_TPM_RC_LAYER, "RESMGR", "resource manager"},
    RcRow{kPolicyLayer, "POLICY", "policy"},
};

// The same document, "TSS2_BASE_RC".
constexpr std::array kTssBase = {
    RcRow{TSS2_BASE_RC_GENERAL_FAILURE, "GENERAL_FAILURE", "a failure of no particular kind"},
    RcRow{TSS2_BASE_RC_NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "the function is not implemented"},
    RcRow{TSS2_BASE_RC_BAD_CONTEXT, "BAD_CONTEXT", "a context structure is not valid"},
    RcRow{TSS2_BASE_RC_ABI_MISMATCH, "ABI_MISMATCH", "the ABI version asked for does not match"},
    RcRow{TSS2_BASE_RC_BAD_REFERENCE, "BAD_REFERENCE", "a null pointer where none is allowed"},
    RcRow{TSS2_BASE_RC_INSUFFICIENT_BUFFER, "INSUFFICIENT_BUFFER", "a buffer is too small"},
    RcRow{TSS2_BASE_RC_BAD_SEQUENCE, "BAD_SEQUENCE", "functions were called in the wrong order"},
    RcRow{TSS2_BASE_RC_NO_CONNECTION, "NO_CONNECTION", "the next lower layer cannot be reached"},
    RcRow{TSS2_BASE_RC_TRY_AGAIN, "TRY_AGAIN",
          "the operation timed out; call again to complete it"},
    RcRow{TSS2_BASE_RC_IO_ERROR, "IO_ERROR", "an input or output error"},
    RcRow{TSS2_BASE_RC_BAD_VALUE, "BAD_VALUE", "a parameter has a bad value"},
    RcRow{TSS2_BASE_RC_NOT_PERMITTED, "NOT_PERMITTED", "the operation is not permitted"},
    RcRow{TSS2_BASE_RC_INVALID_SESSIONS, "INVALID_SESSIONS", "the sessions do not fit the command"},
    RcRow{TSS2_BASE_RC_NO_DECRYPT_PARAM, "NO_DECRYPT_PARAM",
          "the command has no parameter to decrypt"},
    RcRow{TSS2_BASE_RC_NO_ENCRYPT_PARAM, "NO_ENCRYPT_PARAM",
          "the command has no parameter to encrypt"},
    RcRow{TSS2_BASE_RC_BAD_SIZE, "BAD_SIZE", "a size is not correct"},
    RcRow{TSS2_BASE_RC_MALFORMED_RESPONSE, "MALFORMED_RESPONSE", "the response is malformed"},
    RcRow{TSS2_BASE_RC_INSUFFICIENT_CONTEXT, "INSUFFICIENT_CONTEXT",
          "the context is not large enough"},
    RcRow{TSS2_BASE_RC_INSUFFICIENT_RESPONSE, "INSUFFICIENT_RESPONSE",
          "the response is not long enough"},
    RcRow{TSS2_BASE_RC_INCOMPATIBLE_TCTI, "INCOMPATIBLE_TCTI",
          "the TCTI version is unknown or cannot be used"},
    RcRow{TSS2_BASE_RC_NOT_SUPPORTED, "NOT_SUPPORTED", "the function is not supported"},
    RcRow{TSS2_BASE_RC_BAD_TCTI_STRUCTURE, "BAD_TCTI_STRUCTURE", "the TCTI context is not valid"},
    RcRow{TSS2_BASE_RC_MEMORY, "MEMORY", "out of memory"},
    RcRow{TSS2_BASE_RC_BAD_TR, "BAD_TR", "the ESYS handle is not valid"},
    RcRow{TSS2_BASE_RC_MULTIPLE_DECRYPT_SESSIONS, "MULTIPLE_DECRYPT_SESSIONS",
          "more than one session is to decrypt the command's parameter"},
    RcRow{TSS2_BASE_RC_MULTIPLE_ENCRYPT_SESSIONS, "MULTIPLE_ENCRYPT_SESSIONS",
          "more than one session is to encrypt the response's parameter"},
    RcRow{TSS2_BASE_RC_RSP_AUTH_FAILED, "RSP_AUTH_FAILED",
          "the HMAC of the response is not correct"},
    RcRow{TSS2_BASE_RC_NO_CONFIG, "NO_CONFIG", "there is no configuration"},
    RcRow{TSS2_BASE_RC_BAD_PATH, "BAD_PATH", "the path is not valid"},
    RcRow{TSS2_BASE_RC_NOT_DELETABLE, "NOT_DELETABLE", "the object cannot be deleted"},
    RcRow{TSS2_BASE_RC_PATH_ALREADY_EXISTS, "PATH_ALREADY_EXISTS", "the path exists already"},
    RcRow{TSS2_BASE_RC_KEY_NOT_FOUND, "KEY_NOT_FOUND", "the key was not found"},
    RcRow{TSS2_BASE_RC_SIGNATURE_VERIFICATION_FAILED, "SIGNATURE_VERIFICATION_FAILED",
          "the signature is not valid"},
    RcRow{TSS2_BASE_RC_HASH_MISMATCH, "HASH_MISMATCH", "a digest is not that of the data"},
    RcRow{TSS2_BASE_RC_KEY_NOT_DUPLICABLE, "KEY_NOT_DUPLICABLE", "the key cannot be duplicated"},
    RcRow{TSS2_BASE_RC_PATH_NOT_FOUND, "PATH_NOT_FOUND", "the path was not found"},
    RcRow{TSS2_BASE_RC_NO_CERT, "NO_CERT", "there is no certificate"},
    RcRow{TSS2_BASE_RC_NO_PCR, "NO_PCR", "there is no such PCR"},
    RcRow{TSS2_BASE_RC_PCR_NOT_RESETTABLE, "PCR_NOT_RESETTABLE", "the PCR cannot be reset"},
    RcRow{TSS2_BASE_RC_BAD_TEMPLATE, "BAD_TEMPLATE", "the template is not valid"},
    RcRow{TSS2_BASE_RC_AUTHORIZATION_FAILED, "AUTHORIZATION_FAILED", "the authorization failed"},
    RcRow{TSS2_BASE_RC_AUTHORIZATION_UNKNOWN, "AUTHORIZATION_UNKNOWN",
          "the authorization value is not known"},
    RcRow{TSS2_BASE_RC_NV_NOT_READABLE, "NV_NOT_READABLE", "the NV index cannot be read"},
    RcRow{TSS2_BASE_RC_NV_TOO_SMALL, "NV_TOO_SMALL", "the NV index is too small"},
    RcRow{TSS2_BASE_RC_NV_NOT_WRITEABLE, "NV_NOT_WRITEABLE", "the NV index cannot be written"},
    RcRow{TSS2_BASE_RC_POLICY_UNKNOWN, "POLICY_UNKNOWN", "the policy is not known"},
    RcRow{TSS2_BASE_RC_NV_WRONG_TYPE, "NV_WRONG_TYPE", "the NV index is of another type"},
    RcRow{TSS2_BASE_RC_NAME_ALREADY_EXISTS, "NAME_ALREADY_EXISTS", "the name exists already"},
    RcRow{TSS2_BASE_RC_NO_TPM, "NO_TPM", "there is no TPM"},
    RcRow{TSS2_BASE_RC_BAD_KEY, "BAD_KEY", "the key is not valid"},
    RcRow{TSS2_BASE_RC_NO_HANDLE, "NO_HANDLE", "there is no free handle"},
    RcRow{TSS2_BASE_RC_NOT_PROVISIONED, "NOT_PROVISIONED", "the keystore is not provisioned"},
    RcRow{TSS2_BASE_RC_ALREADY_PROVISIONED, "ALREADY_PROVISIONED",
          "the keystore is provisioned already"},
};

// Microsoft's TBS return codes and what a TBS service puts in the header of a response.
constexpr std::array kService = {
    RcRow{proto::service::kCommandBlocked, "TPM_E_COMMAND_BLOCKED",
          "the command was blocked by the service and did not reach the TPM"},
    RcRow{proto::service::kInvalidHandle, "TPM_E_INVALID_HANDLE", "the handle was not found"},
    RcRow{proto::service::kDuplicateHandle, "TPM_E_DUPLICATE_VHANDLE",
          "two handles collided; send the command again"},
    RcRow{proto::service::kEmbeddedCommandBlocked, "TPM_E_EMBEDDED_COMMAND_BLOCKED",
          "the command inside the transport session was blocked by the service"},
    RcRow{proto::service::kEmbeddedCommandUnsupported, "TPM_E_EMBEDDED_COMMAND_UNSUPPORTED",
          "the command inside the transport session is not supported"},
    RcRow{proto::service::kRetry, "TPM_E_RETRY", "the TPM is busy; send the command again"},
    RcRow{proto::service::kNeedsSelfTest, "TPM_E_NEEDS_SELFTEST",
          "the full self-test has not been run"},
    RcRow{proto::service::kDoingSelfTest, "TPM_E_DOING_SELFTEST", "the TPM is testing itself"},
    RcRow{proto::service::kDefendLockRunning, "TPM_E_DEFEND_LOCK_RUNNING",
          "the TPM defends itself against a dictionary attack; wait for the time-out"},
};

}  // namespace

std::span<const RcRow> layer_rows() {
  return kLayers;
}
std::span<const RcRow> tss_base_rows() {
  return kTssBase;
}
std::span<const RcRow> service_rows() {
  return kService;
}

}  // namespace tbs::ctl
