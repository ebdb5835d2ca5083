#include "tests/support/client_commands.h"

#include "proto/tpm/command_builder.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/structures.h"
#include "tests/support/digest.h"
#include "tests/support/signing_template.h"

namespace tbs::test::command {
namespace {

using ::tbs::tpm::CommandBuilder;
using ::tbs::tpm::marshal;
using ::tbs::tpm::sized;

// With a password for the first handle, the empty one as a rule.
CommandBuilder authorized(std::uint32_t code, std::uint32_t handle, const Bytes& password = {}) {
  CommandBuilder command(code);
  command.handle(handle).authorization(::tbs::tpm::password_authorization(password));
  return command;
}

Bytes start_sequence(std::uint16_t algorithm) {
  return CommandBuilder(TPM2_CC_HashSequenceStart).u16(0).u16(algorithm).finish();
}

}  // namespace

Bytes create_primary(std::uint32_t hierarchy, std::uint8_t variant) {
  return ::tbs::tpm::build::create_primary(hierarchy, signing_template(Bytes{variant}));
}

Bytes sign(std::uint32_t key) {
  const TPMT_TK_HASHCHECK no_ticket{
      .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL, .digest = {}};
  return authorized(TPM2_CC_Sign, key)
      .sized(Bytes(32, 0x5A))
      .u16(TPM2_ALG_NULL)
      .bytes(marshal(no_ticket))
      .finish();
}

Bytes read_public(std::uint32_t handle) {
  return ::tbs::tpm::build::read_public(handle);
}

Bytes load_hmac_key(std::span<const std::uint8_t> key) {
  const Bytes seed(32, 0x5E);
  TPM2B_SENSITIVE sensitive{};
  sensitive.sensitiveArea.sensitiveType = TPM2_ALG_KEYEDHASH;
  sensitive.sensitiveArea.seedValue = *sized<TPM2B_DIGEST>(seed);
  sensitive.sensitiveArea.sensitive.bits = *sized<TPM2B_SENSITIVE_DATA>(key);
  Bytes hashed = seed;
  hashed.insert(hashed.end(), key.begin(), key.end());
  TPM2B_PUBLIC area{};
  area.publicArea.type = TPM2_ALG_KEYEDHASH;
  area.publicArea.nameAlg = TPM2_ALG_SHA256;
  area.publicArea.objectAttributes =
      TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
  TPMT_KEYEDHASH_SCHEME& scheme = area.publicArea.parameters.keyedHashDetail.scheme;
  scheme.scheme = TPM2_ALG_HMAC;
  scheme.details.hmac.hashAlg = TPM2_ALG_SHA256;
  area.publicArea.unique.keyedHash = *sized<TPM2B_DIGEST>(sha256(hashed));
  return CommandBuilder(TPM2_CC_LoadExternal)
      .bytes(marshal(sensitive))
      .bytes(marshal(area))
      .u32(TPM2_RH_NULL)
      .finish();
}

Bytes start_hash() {
  return start_sequence(TPM2_ALG_SHA256);
}

Bytes start_event() {
  return start_sequence(TPM2_ALG_NULL);
}

Bytes start_hmac(std::uint32_t key) {
  return authorized(TPM2_CC_HMAC_Start, key).u16(0).u16(TPM2_ALG_SHA256).finish();
}

Bytes update(std::uint32_t sequence, std::uint8_t byte) {
  return update(sequence, Bytes{byte});
}

Bytes update(std::uint32_t sequence, std::span<const std::uint8_t> bytes) {
  return authorized(TPM2_CC_SequenceUpdate, sequence).sized(bytes).finish();
}

Bytes update_unauthorized(std::uint32_t sequence, std::uint8_t byte) {
  return authorized(TPM2_CC_SequenceUpdate, sequence, {'n', 'o'}).sized(Bytes{byte}).finish();
}

Bytes complete_event(std::uint32_t sequence) {
  return CommandBuilder(TPM2_CC_EventSequenceComplete)
      .handle(TPM2_RH_NULL)
      .handle(sequence)
      .authorization(::tbs::tpm::password_authorization())
      .authorization(::tbs::tpm::password_authorization())
      .sized({})
      .finish();
}

Bytes complete(std::uint32_t sequence) {
  return authorized(TPM2_CC_SequenceComplete, sequence).sized({}).u32(TPM2_RH_NULL).finish();
}

Bytes start_policy() {
  return CommandBuilder(TPM2_CC_StartAuthSession)
      .handle(TPM2_RH_NULL)
      .handle(TPM2_RH_NULL)
      .sized(Bytes(16))
      .u16(0)
      .u8(TPM2_SE_POLICY)
      .u16(TPM2_ALG_NULL)
      .u16(TPM2_ALG_SHA256)
      .finish();
}

Bytes policy_command_code(std::uint32_t session, std::uint32_t code) {
  return CommandBuilder(TPM2_CC_PolicyCommandCode).handle(session).u32(code).finish();
}

Bytes policy_digest(std::uint32_t session) {
  return CommandBuilder(TPM2_CC_PolicyGetDigest).handle(session).finish();
}

}  // namespace tbs::test::command
