#include <algorithm>
#include <array>

#include "client/tbsctl/response_code/rc_tables.h"

namespace tbs::ctl {
namespace {

constexpr std::array kFormat1 = {
    RcRow{0x01, "TPM_RC_ASYMMETRIC", "the asymmetric algorithm is not supported or not correct"},
    RcRow{0x02, "TPM_RC_ATTRIBUTES", "the attributes contradict each other or the use"},
    RcRow{0x03, "TPM_RC_HASH", "the hash algorithm is not supported or not appropriate"},
    RcRow{0x04, "TPM_RC_VALUE", "the value is out of range or does not fit the context"},
    RcRow{0x05, "TPM_RC_HIERARCHY", "the hierarchy is not enabled or not correct for the use"},
    RcRow{0x07, "TPM_RC_KEY_SIZE", "the key size is not supported"},
    RcRow{0x08, "TPM_RC_MGF", "the mask generation function is not supported"},
    RcRow{0x09, "TPM_RC_MODE", "the mode of operation is not supported"},
    RcRow{0x0A, "TPM_RC_TYPE", "the type is not appropriate for the use"},
    RcRow{0x0B, "TPM_RC_HANDLE", "the handle is not correct for the use"},
    RcRow{0x0C, "TPM_RC_KDF", "the key derivation function is not supported or not appropriate"},
    RcRow{0x0D, "TPM_RC_RANGE", "the value is out of the allowed range"},
    RcRow{0x0E, "TPM_RC_AUTH_FAIL",
          "the authorization failed; it counts towards the dictionary-attack lockout"},
    RcRow{0x0F, "TPM_RC_NONCE", "the nonce has a wrong size or value"},
    RcRow{0x10, "TPM_RC_PP", "the authorization needs physical presence"},
    RcRow{0x12, "TPM_RC_SCHEME", "the scheme is not supported or not compatible"},
    RcRow{0x15, "TPM_RC_SIZE", "the structure has a wrong size"},
    RcRow{0x16, "TPM_RC_SYMMETRIC",
          "the symmetric algorithm or key size is not supported or not appropriate"},
    RcRow{0x17, "TPM_RC_TAG", "the structure has a wrong tag"},
    RcRow{0x18, "TPM_RC_SELECTOR", "the union selector is not correct"},
    RcRow{0x1A, "TPM_RC_INSUFFICIENT", "the command ends before this value does"},
    RcRow{0x1B, "TPM_RC_SIGNATURE", "the signature is not valid"},
    RcRow{0x1C, "TPM_RC_KEY", "the fields of the key do not fit the use"},
    RcRow{0x1D, "TPM_RC_POLICY_FAIL", "a policy check failed"},
    RcRow{0x1F, "TPM_RC_INTEGRITY", "the integrity check failed"},
    RcRow{0x20, "TPM_RC_TICKET", "the ticket is not valid"},
    RcRow{0x21, "TPM_RC_RESERVED_BITS", "reserved bits are not zero"},
    RcRow{0x22, "TPM_RC_BAD_AUTH",
          "the authorization failed; it does not count towards the dictionary-attack lockout"},
    RcRow{0x23, "TPM_RC_EXPIRED", "the policy has expired"},
    RcRow{0x24, "TPM_RC_POLICY_CC",
          "the policy is for another command, or for one that the TPM does not have"},
    RcRow{0x25, "TPM_RC_BINDING", "the public and the sensitive part do not belong together"},
    RcRow{0x26, "TPM_RC_CURVE", "the curve is not supported"},
    RcRow{0x27, "TPM_RC_ECC_POINT", "the point is not on the curve"},
    RcRow{0x28, "TPM_RC_FW_LIMITED", "the hierarchy is limited to a firmware"},
    RcRow{0x29, "TPM_RC_SVN_LIMITED", "the hierarchy is limited to a firmware version number"},
};

constexpr std::array kFormat0 = {
    RcRow{0x00, "TPM_RC_INITIALIZE", "the TPM needs TPM2_Startup, or has had it already"},
    RcRow{0x01, "TPM_RC_FAILURE", "the TPM is in failure mode and takes no commands"},
    RcRow{0x03, "TPM_RC_SEQUENCE", "the sequence handle is not used as it should be"},
    RcRow{0x0B, "TPM_RC_PRIVATE", "a private area is not valid"},
    RcRow{0x19, "TPM_RC_HMAC", "an HMAC is not valid"},
    RcRow{0x20, "TPM_RC_DISABLED", "the command is disabled"},
    RcRow{0x21, "TPM_RC_EXCLUSIVE", "an audit session that needs to be exclusive is not"},
    RcRow{0x24, "TPM_RC_AUTH_TYPE", "the authorization handle is not correct for the command"},
    RcRow{0x25, "TPM_RC_AUTH_MISSING",
          "the command needs an authorization session for a handle, and there is none"},
    RcRow{0x26, "TPM_RC_POLICY", "a policy is not valid or its calculation failed"},
    RcRow{0x27, "TPM_RC_PCR", "a PCR check failed"},
    RcRow{0x28, "TPM_RC_PCR_CHANGED", "PCRs have changed since they were checked"},
    RcRow{0x2D, "TPM_RC_UPGRADE", "the TPM is (or is not) in field upgrade mode"},
    RcRow{0x2E, "TPM_RC_TOO_MANY_CONTEXTS", "the counter of saved contexts is at its end"},
    RcRow{0x2F, "TPM_RC_AUTH_UNAVAILABLE",
          "the authorization value or policy cannot be used for this entity"},
    RcRow{0x30, "TPM_RC_REBOOT", "the TPM must be reset and started before it can go on"},
    RcRow{0x31, "TPM_RC_UNBALANCED", "the hash and the symmetric algorithm are not balanced"},
    RcRow{0x42, "TPM_RC_COMMAND_SIZE", "the size in the command header is not that of the command"},
    RcRow{0x43, "TPM_RC_COMMAND_CODE", "the TPM does not have this command"},
    RcRow{0x44, "TPM_RC_AUTHSIZE", "the size of the authorization area is not correct"},
    RcRow{0x45, "TPM_RC_AUTH_CONTEXT", "this command takes no authorization session"},
    RcRow{0x46, "TPM_RC_NV_RANGE", "the NV offset and size are out of range"},
    RcRow{0x47, "TPM_RC_NV_SIZE", "the NV size is larger than allowed"},
    RcRow{0x48, "TPM_RC_NV_LOCKED", "the NV index is locked"},
    RcRow{0x49, "TPM_RC_NV_AUTHORIZATION",
          "the authorization does not give access to the NV index"},
    RcRow{0x4A, "TPM_RC_NV_UNINITIALIZED",
          "the NV index was never written, or saved state is lost"},
    RcRow{0x4B, "TPM_RC_NV_SPACE", "there is not enough NV memory"},
    RcRow{0x4C, "TPM_RC_NV_DEFINED", "the NV index or persistent object exists already"},
    RcRow{0x50, "TPM_RC_BAD_CONTEXT", "the saved context is not valid"},
    RcRow{0x51, "TPM_RC_CPHASH", "the cpHash is set already or not correct for the use"},
    RcRow{0x52, "TPM_RC_PARENT", "the handle of the parent is not that of a parent"},
    RcRow{0x53, "TPM_RC_NEEDS_TEST", "a function must be tested first"},
    RcRow{0x54, "TPM_RC_NO_RESULT", "the TPM cannot process the request, for no stated reason"},
    RcRow{0x55, "TPM_RC_SENSITIVE", "the sensitive area is not valid after decryption"},
    RcRow{0x56, "TPM_RC_READ_ONLY", "the TPM is in read-only mode"},
};

constexpr std::array kWarnings = {
    RcRow{0x01, "TPM_RC_CONTEXT_GAP", "the gap between saved sessions is too large"},
    RcRow{0x02, "TPM_RC_OBJECT_MEMORY", "no memory for another object; one must be flushed"},
    RcRow{0x03, "TPM_RC_SESSION_MEMORY", "no memory for another session; one must be flushed"},
    RcRow{0x04, "TPM_RC_MEMORY", "no memory; an object or session must be flushed"},
    RcRow{0x05, "TPM_RC_SESSION_HANDLES", "no session handle is free; a session must be flushed"},
    RcRow{0x06, "TPM_RC_OBJECT_HANDLES", "no object handle is free"},
    RcRow{0x07, "TPM_RC_LOCALITY", "the locality is not correct"},
    RcRow{0x08, "TPM_RC_YIELDED", "the TPM has paused the command; send it again"},
    RcRow{0x09, "TPM_RC_CANCELED", "the command was cancelled"},
    RcRow{0x0A, "TPM_RC_TESTING", "the TPM is testing itself; send the command again"},
    RcRow{0x10, "TPM_RC_REFERENCE_H0", "the 1st handle refers to something that is not loaded"},
    RcRow{0x11, "TPM_RC_REFERENCE_H1", "the 2nd handle refers to something that is not loaded"},
    RcRow{0x12, "TPM_RC_REFERENCE_H2", "the 3rd handle refers to something that is not loaded"},
    RcRow{0x13, "TPM_RC_REFERENCE_H3", "the 4th handle refers to something that is not loaded"},
    RcRow{0x14, "TPM_RC_REFERENCE_H4", "the 5th handle refers to something that is not loaded"},
    RcRow{0x15, "TPM_RC_REFERENCE_H5", "the 6th handle refers to something that is not loaded"},
    RcRow{0x16, "TPM_RC_REFERENCE_H6", "the 7th handle refers to something that is not loaded"},
    RcRow{0x18, "TPM_RC_REFERENCE_S0", "the 1st session is not loaded"},
    RcRow{0x19, "TPM_RC_REFERENCE_S1", "the 2nd session is not loaded"},
    RcRow{0x1A, "TPM_RC_REFERENCE_S2", "the 3rd session is not loaded"},
    RcRow{0x1B, "TPM_RC_REFERENCE_S3", "the 4th session is not loaded"},
    RcRow{0x1C, "TPM_RC_REFERENCE_S4", "the 5th session is not loaded"},
    RcRow{0x1D, "TPM_RC_REFERENCE_S5", "the 6th session is not loaded"},
    RcRow{0x1E, "TPM_RC_REFERENCE_S6", "the 7th session is not loaded"},
    RcRow{0x20, "TPM_RC_NV_RATE", "the TPM limits NV writes to prevent wear; try again later"},
    RcRow{0x21, "TPM_RC_LOCKOUT",
          "too many failed authorizations: the dictionary-attack lockout is active"},
    RcRow{0x22, "TPM_RC_RETRY", "the TPM could not start the command; send it again"},
    RcRow{0x23, "TPM_RC_NV_UNAVAILABLE", "NV memory cannot be used now"},
    RcRow{0x7F, "TPM_RC_NOT_USED", "a reserved code that a TPM does not return"},
};

}  // namespace

std::span<const RcRow> format1_rows() {
  return kFormat1;
}
std::span<const RcRow> format0_rows() {
  return kFormat0;
}
std::span<const RcRow> warning_rows() {
  return kWarnings;
}

const RcRow* find_row(std::span<const RcRow> rows, std::uint32_t number) {
  const auto row = std::ranges::find(rows, number, &RcRow::number);
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace tbs::ctl
