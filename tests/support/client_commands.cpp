#include "tests/support/client_commands.h"

#include <initializer_list>

#include <tss2/tss2_tpm2_types.h>

#include "daemon/tpm/constants.h"
#include "proto/byte_writer.h"
#include "tests/support/digest.h"

namespace tbs::test::command {
namespace {

using proto::ByteWriter;

Bytes finish(std::uint16_t tag, std::uint32_t code, const Bytes& body) {
  Bytes command;
  ByteWriter writer(command);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(tpm::kHeaderSize + body.size()));
  writer.be32(code);
  writer.bytes(body);
  return command;
}

Bytes plain(std::uint32_t code, std::initializer_list<std::uint32_t> words) {
  Bytes body;
  ByteWriter writer(body);
  for (const std::uint32_t word : words) writer.be32(word);
  return finish(tpm::kTagNoSessions, code, body);
}

void password(ByteWriter& writer, const Bytes& secret) {
  writer.be32(tpm::kPasswordSession);
  writer.be16(0);
  writer.u8(0);
  writer.be16(static_cast<std::uint16_t>(secret.size()));
  writer.bytes(secret);
}

// With a password for the first handle, the empty one as a rule.
Bytes authorized(std::uint32_t code, std::uint32_t handle, const Bytes& parameters,
                 const Bytes& secret = {}) {
  Bytes body;
  ByteWriter writer(body);
  writer.be32(handle);
  writer.be32(static_cast<std::uint32_t>(9 + secret.size()));
  password(writer, secret);
  writer.bytes(parameters);
  return finish(tpm::kTagSessions, code, body);
}

void sized(ByteWriter& writer, std::span<const std::uint8_t> bytes) {
  writer.be16(static_cast<std::uint16_t>(bytes.size()));
  writer.bytes(bytes);
}

Bytes start_sequence(std::uint16_t algorithm) {
  Bytes body;
  ByteWriter writer(body);
  writer.be16(0);
  writer.be16(algorithm);
  return finish(tpm::kTagNoSessions, tpm::cc::kHashSequenceStart, body);
}

Bytes signing_template(std::uint8_t variant) {
  Bytes area;
  ByteWriter writer(area);
  writer.be16(TPM2_ALG_ECC);
  writer.be16(TPM2_ALG_SHA256);
  writer.be32(TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH |
              TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
              TPMA_OBJECT_NODA);
  writer.be16(0);  // authPolicy
  writer.be16(TPM2_ALG_NULL);
  writer.be16(TPM2_ALG_ECDSA);
  writer.be16(TPM2_ALG_SHA256);
  writer.be16(TPM2_ECC_NIST_P256);
  writer.be16(TPM2_ALG_NULL);
  writer.be16(1);
  writer.u8(variant);
  writer.be16(0);
  return area;
}

}  // namespace

Bytes create_primary(std::uint32_t hierarchy, std::uint8_t variant) {
  const Bytes area = signing_template(variant);
  Bytes parameters;
  ByteWriter writer(parameters);
  writer.be16(4);  // inSensitive: no authorization, no data
  writer.be32(0);
  writer.be16(static_cast<std::uint16_t>(area.size()));
  writer.bytes(area);
  writer.be16(0);  // outsideInfo
  writer.be32(0);  // creationPCR
  return authorized(tpm::cc::kCreatePrimary, hierarchy, parameters);
}

Bytes sign(std::uint32_t key) {
  Bytes parameters;
  ByteWriter writer(parameters);
  writer.be16(32);
  for (int i = 0; i < 32; ++i) writer.u8(0x5A);
  writer.be16(TPM2_ALG_NULL);
  writer.be16(TPM2_ST_HASHCHECK);
  writer.be32(tpm::kRhNull);
  writer.be16(0);
  return authorized(TPM2_CC_Sign, key, parameters);
}

Bytes read_public(std::uint32_t handle) {
  return plain(tpm::cc::kReadPublic, {handle});
}

Bytes load_hmac_key(std::span<const std::uint8_t> key) {
  const Bytes seed(32, 0x5E);
  Bytes sensitive;
  ByteWriter secret(sensitive);
  secret.be16(TPM2_ALG_KEYEDHASH);
  secret.be16(0);  // authValue
  sized(secret, seed);
  sized(secret, key);
  Bytes hashed = seed;
  hashed.insert(hashed.end(), key.begin(), key.end());
  Bytes area;
  ByteWriter writer(area);
  writer.be16(TPM2_ALG_KEYEDHASH);
  writer.be16(TPM2_ALG_SHA256);
  writer.be32(TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA);
  writer.be16(0);  // authPolicy
  writer.be16(TPM2_ALG_HMAC);
  writer.be16(TPM2_ALG_SHA256);
  sized(writer, sha256(hashed));
  Bytes body;
  ByteWriter parameters(body);
  sized(parameters, sensitive);
  sized(parameters, area);
  parameters.be32(tpm::kRhNull);
  return finish(tpm::kTagNoSessions, tpm::cc::kLoadExternal, body);
}

Bytes start_hash() {
  return start_sequence(TPM2_ALG_SHA256);
}

Bytes start_event() {
  return start_sequence(TPM2_ALG_NULL);
}

Bytes start_hmac(std::uint32_t key) {
  return authorized(TPM2_CC_HMAC_Start, key, {0, 0, TPM2_ALG_SHA256 >> 8, TPM2_ALG_SHA256 & 0xFF});
}

Bytes update(std::uint32_t sequence, std::uint8_t byte) {
  return update(sequence, Bytes{byte});
}

Bytes update(std::uint32_t sequence, std::span<const std::uint8_t> bytes) {
  Bytes parameters;
  ByteWriter writer(parameters);
  sized(writer, bytes);
  return authorized(TPM2_CC_SequenceUpdate, sequence, parameters);
}

Bytes update_unauthorized(std::uint32_t sequence, std::uint8_t byte) {
  return authorized(TPM2_CC_SequenceUpdate, sequence, {0, 1, byte}, {'n', 'o'});
}

Bytes complete_event(std::uint32_t sequence) {
  Bytes body;
  ByteWriter writer(body);
  writer.be32(tpm::kRhNull);
  writer.be32(sequence);
  writer.be32(18);
  password(writer, {});
  password(writer, {});
  writer.be16(0);
  return finish(tpm::kTagSessions, tpm::cc::kEventSequenceComplete, body);
}

Bytes complete(std::uint32_t sequence) {
  return authorized(tpm::cc::kSequenceComplete, sequence, {0, 0, 0x40, 0, 0, 7});
}

Bytes start_policy() {
  Bytes body;
  ByteWriter writer(body);
  writer.be32(tpm::kRhNull);
  writer.be32(tpm::kRhNull);
  writer.be16(16);
  writer.bytes(Bytes(16));
  writer.be16(0);
  writer.u8(TPM2_SE_POLICY);
  writer.be16(TPM2_ALG_NULL);
  writer.be16(TPM2_ALG_SHA256);
  return finish(tpm::kTagNoSessions, tpm::cc::kStartAuthSession, body);
}

Bytes policy_command_code(std::uint32_t session, std::uint32_t code) {
  return plain(TPM2_CC_PolicyCommandCode, {session, code});
}

Bytes policy_digest(std::uint32_t session) {
  return plain(TPM2_CC_PolicyGetDigest, {session});
}

}  // namespace tbs::test::command
