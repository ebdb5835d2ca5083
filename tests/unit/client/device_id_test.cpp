#include "client/device_id.h"

#include "proto/service_codes.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm/structures.h"
#include "proto/tpm_header.h"
#include "tests/support/catch2.h"
#include "tests/support/digest.h"

using namespace tbs;
using client::create_id_key;
using client::IdKey;
using client::read_id_answer;
using proto::Buffer;

namespace {

// A response to CreatePrimary as the TPM sends it, with this Name.
Buffer created(const Buffer& name) {
  Buffer out;
  proto::ByteWriter writer(out);
  writer.be16(tpm::kTagSessions);
  writer.be32(0);
  writer.be32(0);
  writer.be32(tpm::kTransientFirst + 3);
  writer.be32(0);  // size of the parameters, which nobody needs
  writer.be16(3);
  writer.bytes(Buffer(3, 0x11));
  writer.be16(5);
  writer.bytes(Buffer(5, 0x22));
  writer.be16(2);
  writer.bytes(Buffer(2, 0x33));
  writer.be16(TPM2_ST_CREATION);
  writer.be32(TPM2_RH_ENDORSEMENT);
  writer.be16(1);
  writer.u8(0x44);
  writer.be16(static_cast<std::uint16_t>(name.size()));
  writer.bytes(name);
  writer.be16(0);
  writer.u8(1);
  writer.be16(0);
  out[5] = static_cast<std::uint8_t>(out.size());
  return out;
}

// PolicySecret(TPM_RH_ENDORSEMENT): SHA-256 of the policy before, TPM_CC_PolicySecret and the
// handle; then of that and an empty reference.
Buffer policy_of_endorsement() {
  Buffer input(32);
  proto::ByteWriter writer(input);
  writer.be32(TPM2_CC_PolicySecret);
  writer.be32(TPM2_RH_ENDORSEMENT);
  return test::sha256(test::sha256(input));
}

Buffer name_of(std::uint16_t algorithm, std::size_t size) {
  Buffer name;
  proto::ByteWriter writer(name);
  writer.be16(algorithm);
  for (std::size_t i = 0; i < size; ++i) writer.u8(static_cast<std::uint8_t>(i));
  return name;
}

}  // namespace

// libtbs writes it by hand.
TEST_CASE("the command for the key is what tss2-mu makes of its template", "[client][id]") {
  TPMT_PUBLIC key{};
  key.nameAlg = TPM2_ALG_SHA256;
  key.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                         TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
                         TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
  const Buffer policy = policy_of_endorsement();
  key.authPolicy = *tpm::sized<TPM2B_DIGEST>(policy);
  const TPMT_SYM_DEF_OBJECT aes{
      .algorithm = TPM2_ALG_AES, .keyBits = {.aes = 128}, .mode = {.aes = TPM2_ALG_CFB}};

  TPMT_PUBLIC ecc = key;
  ecc.type = TPM2_ALG_ECC;
  ecc.parameters.eccDetail = {.symmetric = aes,
                              .scheme = {.scheme = TPM2_ALG_NULL, .details = {}},
                              .curveID = TPM2_ECC_NIST_P256,
                              .kdf = {.scheme = TPM2_ALG_NULL, .details = {}}};
  ecc.unique.ecc = {.x = {.size = 32, .buffer = {}}, .y = {.size = 32, .buffer = {}}};
  CHECK(create_id_key(IdKey::P256) == tpm::build::create_primary(TPM2_RH_ENDORSEMENT, ecc));

  TPMT_PUBLIC rsa = key;
  rsa.type = TPM2_ALG_RSA;
  rsa.parameters.rsaDetail = {.symmetric = aes,
                              .scheme = {.scheme = TPM2_ALG_NULL, .details = {}},
                              .keyBits = 2048,
                              .exponent = 0};
  rsa.unique.rsa = {.size = 256, .buffer = {}};
  CHECK(create_id_key(IdKey::Rsa2048) == tpm::build::create_primary(TPM2_RH_ENDORSEMENT, rsa));
}

TEST_CASE("the identifier is the digest of the Name", "[client][id]") {
  const auto answer = read_id_answer(created(name_of(TPM2_ALG_SHA256, 32)));
  REQUIRE(answer);
  CHECK(answer->response_code == tpm::rc::kSuccess);
  CHECK(answer->handle == tpm::kTransientFirst + 3);
  REQUIRE(answer->id.size() == client::kDeviceIdSize);
  CHECK(answer->id[0] == 0);
  CHECK(answer->id[31] == 31);
}

TEST_CASE("what is no such answer is refused", "[client][id]") {
  CHECK_FALSE(read_id_answer(created(name_of(TPM2_ALG_SHA1, 20))));
  CHECK_FALSE(read_id_answer(created(name_of(TPM2_ALG_SHA384, 32))));
  const auto whole = created(name_of(TPM2_ALG_SHA256, 32));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    if (size >= 10) cut[5] = static_cast<std::uint8_t>(size);
    const auto answer = read_id_answer(cut);
    // What follows the Name does not matter.
    if (size < whole.size() - 5) CHECK_FALSE(answer);
  }
}

TEST_CASE("a TPM's refusal, and which of them asks for the other kind of key", "[client][id]") {
  constexpr std::uint32_t kBadAuth = tpm::at_session(tpm::rc::kBadAuth, 1);
  const auto answer = read_id_answer(proto::tpm_error_response(tpm::kTagNoSessions, kBadAuth));
  REQUIRE(answer);
  CHECK(answer->response_code == kBadAuth);
  for (const std::uint32_t code :
       {TPM2_RC_CURVE, TPM2_RC_ASYMMETRIC, TPM2_RC_TYPE, TPM2_RC_VALUE}) {
    CHECK(client::is_unknown_key_kind(tpm::at_parameter(code, 2)));
  }
  for (const std::uint32_t code :
       {kBadAuth, tpm::rc::kObjectMemory, tpm::rc::kRetry, proto::service::kCommandBlocked}) {
    CHECK_FALSE(client::is_unknown_key_kind(code));
  }
}
