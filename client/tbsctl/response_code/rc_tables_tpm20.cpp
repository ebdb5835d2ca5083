#include <algorithm>
#include <array>

#include "client/tbsctl/response_code/rc_tables.h"
#include "proto/tpm/response_code.h"

namespace tbs::ctl {
namespace {

constexpr std::array kFormat1 = {
    RcRow{TPM2_RC_ASYMMETRIC, "TPM_RC_ASYMMETRIC",
          "the asymmetric algorithm is not supported or not correct"},
    RcRow{TPM2_RC_ATTRIBUTES, "TPM_RC_ATTRIBUTES",
          "the attributes contradict each other or the use"},
    RcRow{TPM2_RC_HASH, "TPM_RC_HASH", "the hash algorithm is not supported or not appropriate"},
    RcRow{TPM2_RC_VALUE, "TPM_RC_VALUE", "the value is out of range or does not fit the context"},
    RcRow{TPM2_RC_HIERARCHY, "TPM_RC_HIERARCHY",
          "the hierarchy is not enabled or not correct for the use"},
    RcRow{TPM2_RC_KEY_SIZE, "TPM_RC_KEY_SIZE", "the key size is not supported"},
    RcRow{TPM2_RC_MGF, "TPM_RC_MGF", "the mask generation function is not supported"},
    RcRow{TPM2_RC_MODE, "TPM_RC_MODE", "the mode of operation is not supported"},
    RcRow{TPM2_RC_TYPE, "TPM_RC_TYPE", "the type is not appropriate for the use"},
    RcRow{TPM2_RC_HANDLE, "TPM_RC_HANDLE", "the handle is not correct for the use"},
    RcRow{TPM2_RC_KDF, "TPM_RC_KDF",
          "the key derivation function is not supported or not appropriate"},
    RcRow{TPM2_RC_RANGE, "TPM_RC_RANGE", "the value is out of the allowed range"},
    RcRow{TPM2_RC_AUTH_FAIL, "TPM_RC_AUTH_FAIL",
          "the authorization failed; it counts towards the dictionary-attack lockout"},
    RcRow{TPM2_RC_NONCE, "TPM_RC_NONCE", "the nonce has a wrong size or value"},
    RcRow{TPM2_RC_PP, "TPM_RC_PP", "the authorization needs physical presence"},
    RcRow{TPM2_RC_SCHEME, "TPM_RC_SCHEME", "the scheme is not supported or not compatible"},
    RcRow{TPM2_RC_SIZE, "TPM_RC_SIZE", "the structure has a wrong size"},
    RcRow{TPM2_RC_SYMMETRIC, "TPM_RC_SYMMETRIC",
          "the symmetric algorithm or key size is not supported or not appropriate"},
    RcRow{TPM2_RC_TAG, "TPM_RC_TAG", "the structure has a wrong tag"},
    RcRow{TPM2_RC_SELECTOR, "TPM_RC_SELECTOR", "the union selector is not correct"},
    RcRow{TPM2_RC_INSUFFICIENT, "TPM_RC_INSUFFICIENT", "the command ends before this value does"},
    RcRow{TPM2_RC_SIGNATURE, "TPM_RC_SIGNATURE", "the signature is not valid"},
    RcRow{TPM2_RC_KEY, "TPM_RC_KEY", "the fields of the key do not fit the use"},
    RcRow{TPM2_RC_POLICY_FAIL, "TPM_RC_POLICY_FAIL", "a policy check failed"},
    RcRow{TPM2_RC_INTEGRITY, "TPM_RC_INTEGRITY", "the integrity check failed"},
    RcRow{TPM2_RC_TICKET, "TPM_RC_TICKET", "the ticket is not valid"},
    RcRow{TPM2_RC_RESERVED_BITS, "TPM_RC_RESERVED_BITS", "reserved bits are not zero"},
    RcRow{TPM2_RC_BAD_AUTH, "TPM_RC_BAD_AUTH",
          "the authorization failed; it does not count towards the dictionary-attack lockout"},
    RcRow{TPM2_RC_EXPIRED, "TPM_RC_EXPIRED", "the policy has expired"},
    RcRow{TPM2_RC_POLICY_CC, "TPM_RC_POLICY_CC",
          "the policy is for another command, or for one that the TPM does not have"},
    RcRow{TPM2_RC_BINDING, "TPM_RC_BINDING",
          "the public and the sensitive part do not belong together"},
    RcRow{TPM2_RC_CURVE, "TPM_RC_CURVE", "the curve is not supported"},
    RcRow{TPM2_RC_ECC_POINT, "TPM_RC_ECC_POINT", "the point is not on the curve"},
    RcRow{tpm::rc::kFwLimited, "TPM_RC_FW_LIMITED", "the hierarchy is limited to a firmware"},
    RcRow{tpm::rc::kSvnLimited, "TPM_RC_SVN_LIMITED",
          "the hierarchy is limited to a firmware version number"},
    RcRow{tpm::rc::kChannel, "TPM_RC_CHANNEL", "the command needs a protected channel"},
    RcRow{tpm::rc::kChannelKey, "TPM_RC_CHANNEL_KEY",
          "the protected channel is not that of the keys which the policy asks for"},
};

constexpr std::array kFormat0 = {
    RcRow{TPM2_RC_INITIALIZE, "TPM_RC_INITIALIZE",
          "the TPM needs TPM2_Startup, or has had it already"},
    RcRow{TPM2_RC_FAILURE, "TPM_RC_FAILURE", "the TPM is in failure mode and takes no commands"},
    RcRow{TPM2_RC_SEQUENCE, "TPM_RC_SEQUENCE", "the sequence handle is not used as it should be"},
    RcRow{TPM2_RC_PRIVATE, "TPM_RC_PRIVATE", "a private area is not valid"},
    RcRow{TPM2_RC_HMAC, "TPM_RC_HMAC", "an HMAC is not valid"},
    RcRow{TPM2_RC_DISABLED, "TPM_RC_DISABLED", "the command is disabled"},
    RcRow{TPM2_RC_EXCLUSIVE, "TPM_RC_EXCLUSIVE",
          "an audit session that needs to be exclusive is not"},
    RcRow{TPM2_RC_AUTH_TYPE, "TPM_RC_AUTH_TYPE",
          "the authorization handle is not correct for the command"},
    RcRow{TPM2_RC_AUTH_MISSING, "TPM_RC_AUTH_MISSING",
          "the command needs an authorization session for a handle, and there is none"},
    RcRow{TPM2_RC_POLICY, "TPM_RC_POLICY", "a policy is not valid or its calculation failed"},
    RcRow{TPM2_RC_PCR, "TPM_RC_PCR", "a PCR check failed"},
    RcRow{TPM2_RC_PCR_CHANGED, "TPM_RC_PCR_CHANGED", "PCRs have changed since they were checked"},
    RcRow{TPM2_RC_UPGRADE, "TPM_RC_UPGRADE", "the TPM is (or is not) in field upgrade mode"},
    RcRow{TPM2_RC_TOO_MANY_CONTEXTS, "TPM_RC_TOO_MANY_CONTEXTS",
          "the counter of saved contexts is at its end"},
    RcRow{TPM2_RC_AUTH_UNAVAILABLE, "TPM_RC_AUTH_UNAVAILABLE",
          "the authorization value or policy cannot be used for this entity"},
    RcRow{TPM2_RC_REBOOT, "TPM_RC_REBOOT", "the TPM must be reset and started before it can go on"},
    RcRow{TPM2_RC_UNBALANCED, "TPM_RC_UNBALANCED",
          "the hash and the symmetric algorithm are not balanced"},
    RcRow{TPM2_RC_COMMAND_SIZE, "TPM_RC_COMMAND_SIZE",
          "the size in the command header is not that of the command"},
    RcRow{TPM2_RC_COMMAND_CODE, "TPM_RC_COMMAND_CODE", "the TPM does not have this command"},
    RcRow{TPM2_RC_AUTHSIZE, "TPM_RC_AUTHSIZE", "the size of the authorization area is not correct"},
    RcRow{TPM2_RC_AUTH_CONTEXT, "TPM_RC_AUTH_CONTEXT",
          "this command takes no authorization session"},
    RcRow{TPM2_RC_NV_RANGE, "TPM_RC_NV_RANGE", "the NV offset and size are out of range"},
    RcRow{TPM2_RC_NV_SIZE, "TPM_RC_NV_SIZE", "the NV size is larger than allowed"},
    RcRow{TPM2_RC_NV_LOCKED, "TPM_RC_NV_LOCKED", "the NV index is locked"},
    RcRow{TPM2_RC_NV_AUTHORIZATION, "TPM_RC_NV_AUTHORIZATION",
          "the authorization does not give access to the NV index"},
    RcRow{TPM2_RC_NV_UNINITIALIZED, "TPM_RC_NV_UNINITIALIZED",
          "the NV index was never written, or saved state is lost"},
    RcRow{TPM2_RC_NV_SPACE, "TPM_RC_NV_SPACE", "there is not enough NV memory"},
    RcRow{TPM2_RC_NV_DEFINED, "TPM_RC_NV_DEFINED",
          "the NV index or persistent object exists already"},
    RcRow{TPM2_RC_BAD_CONTEXT, "TPM_RC_BAD_CONTEXT", "the saved context is not valid"},
    RcRow{TPM2_RC_CPHASH, "TPM_RC_CPHASH", "the cpHash is set already or not correct for the use"},
    RcRow{TPM2_RC_PARENT, "TPM_RC_PARENT", "the handle of the parent is not that of a parent"},
    RcRow{TPM2_RC_NEEDS_TEST, "TPM_RC_NEEDS_TEST", "a function must be tested first"},
    RcRow{TPM2_RC_NO_RESULT, "TPM_RC_NO_RESULT",
          "the TPM cannot process the request, for no stated reason"},
    RcRow{TPM2_RC_SENSITIVE, "TPM_RC_SENSITIVE",
          "the sensitive area is not valid after decryption"},
    RcRow{tpm::rc::kReadOnly, "TPM_RC_READ_ONLY", "the TPM is in read-only mode"},
};

constexpr std::array kWarnings = {
    RcRow{TPM2_RC_CONTEXT_GAP, "TPM_RC_CONTEXT_GAP", "the gap between saved sessions is too large"},
    RcRow{TPM2_RC_OBJECT_MEMORY, "TPM_RC_OBJECT_MEMORY",
          "no memory for another object; one must be flushed"},
    RcRow{TPM2_RC_SESSION_MEMORY, "TPM_RC_SESSION_MEMORY",
          "no memory for another session; one must be flushed"},
    RcRow{TPM2_RC_MEMORY, "TPM_RC_MEMORY", "no memory; an object or session must be flushed"},
    RcRow{TPM2_RC_SESSION_HANDLES, "TPM_RC_SESSION_HANDLES",
          "no session handle is free; a session must be flushed"},
    RcRow{TPM2_RC_OBJECT_HANDLES, "TPM_RC_OBJECT_HANDLES", "no object handle is free"},
    RcRow{TPM2_RC_LOCALITY, "TPM_RC_LOCALITY", "the locality is not correct"},
    RcRow{TPM2_RC_YIELDED, "TPM_RC_YIELDED", "the TPM has paused the command; send it again"},
    RcRow{TPM2_RC_CANCELED, "TPM_RC_CANCELED", "the command was cancelled"},
    RcRow{TPM2_RC_TESTING, "TPM_RC_TESTING", "the TPM is testing itself; send the command again"},
    RcRow{TPM2_RC_REFERENCE_H0, "TPM_RC_REFERENCE_H0",
          "the 1st handle refers to something that is not loaded"},
    RcRow{TPM2_RC_REFERENCE_H1, "TPM_RC_REFERENCE_H1",
          "the 2nd handle refers to something that is not loaded"},
    RcRow{TPM2_RC_REFERENCE_H2, "TPM_RC_REFERENCE_H2",
          "the 3rd handle refers to something that is not loaded"},
    RcRow{TPM2_RC_REFERENCE_H3, "TPM_RC_REFERENCE_H3",
          "the 4th handle refers to something that is not loaded"},
    RcRow{TPM2_RC_REFERENCE_H4, "TPM_RC_REFERENCE_H4",
          "the 5th handle refers to something that is not loaded"},
    RcRow{TPM2_RC_REFERENCE_H5, "TPM_RC_REFERENCE_H5",
          "the 6th handle refers to something that is not loaded"},
    RcRow{TPM2_RC_REFERENCE_H6, "TPM_RC_REFERENCE_H6",
          "the 7th handle refers to something that is not loaded"},
    RcRow{TPM2_RC_REFERENCE_S0, "TPM_RC_REFERENCE_S0", "the 1st session is not loaded"},
    RcRow{TPM2_RC_REFERENCE_S1, "TPM_RC_REFERENCE_S1", "the 2nd session is not loaded"},
    RcRow{TPM2_RC_REFERENCE_S2, "TPM_RC_REFERENCE_S2", "the 3rd session is not loaded"},
    RcRow{TPM2_RC_REFERENCE_S3, "TPM_RC_REFERENCE_S3", "the 4th session is not loaded"},
    RcRow{TPM2_RC_REFERENCE_S4, "TPM_RC_REFERENCE_S4", "the 5th session is not loaded"},
    RcRow{TPM2_RC_REFERENCE_S5, "TPM_RC_REFERENCE_S5", "the 6th session is not loaded"},
    RcRow{TPM2_RC_REFERENCE_S6, "TPM_RC_REFERENCE_S6", "the 7th session is not loaded"},
    RcRow{TPM2_RC_NV_RATE, "TPM_RC_NV_RATE",
          "the TPM limits NV writes to prevent wear; try again later"},
    RcRow{TPM2_RC_LOCKOUT, "TPM_RC_LOCKOUT",
          "too many failed authorizations: the dictionary-attack lockout is active"},
    RcRow{TPM2_RC_RETRY, "TPM_RC_RETRY", "the TPM could not start the command; send it again"},
    RcRow{TPM2_RC_NV_UNAVAILABLE, "TPM_RC_NV_UNAVAILABLE", "NV memory cannot be used now"},
    RcRow{TPM2_RC_NOT_USED, "TPM_RC_NOT_USED", "a reserved code that a TPM does not return"},
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
