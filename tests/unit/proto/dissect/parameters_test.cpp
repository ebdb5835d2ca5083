#include "proto/dissect/parameters.h"

#include "proto/dissect/parameter_limits.h"
#include "proto/tpm/structures.h"
#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::dissect;
using T = tpm::ParameterType;
using proto::Buffer;

namespace {

Dissection field_of(T type, const Buffer& bytes) {
  Dissection message;
  FieldWriter writer(bytes, message);
  parameter_field(writer, {"value", type});
  writer.finish();
  return message;
}

template <typename Structure>
void same_as_mu(T type, const Structure& structure) {
  const Buffer bytes = tpm::marshal(structure);
  REQUIRE_FALSE(bytes.empty());
  const Dissection message = field_of(type, bytes);
  CAPTURE(static_cast<int>(type));
  CHECK(message.faults.empty());
  REQUIRE_FALSE(message.fields.empty());
  CHECK(message.fields.back().name != "rest");
  CHECK(bytes_of_parameter(type, bytes) == bytes.size());
}

}  // namespace

TEST_CASE("every type of a parameter is written", "[dissect][parameters]") {
  for (auto type = static_cast<int>(T::YesNo); type <= static_cast<int>(T::VerifiedTicket);
       ++type) {
    CAPTURE(type);
    const Dissection message = field_of(static_cast<T>(type), Buffer(64, 0));
    REQUIRE_FALSE(message.fields.empty());
    CHECK((message.fields.front().name.starts_with("value")));
  }
}

TEST_CASE("structures that tss2-mu makes are understood to their end", "[dissect][parameters]") {
  TPM2B_PUBLIC rsa{};
  rsa.publicArea.type = TPM2_ALG_RSA;
  rsa.publicArea.nameAlg = TPM2_ALG_SHA256;
  rsa.publicArea.parameters.rsaDetail = {.symmetric = {.algorithm = TPM2_ALG_AES,
                                                       .keyBits = {.aes = 128},
                                                       .mode = {.aes = TPM2_ALG_CFB}},
                                         .scheme = {.scheme = TPM2_ALG_NULL, .details = {}},
                                         .keyBits = 2048,
                                         .exponent = 0};
  same_as_mu(T::Public, rsa);
  TPM2B_NV_PUBLIC index{};
  index.nvPublic = {.nvIndex = 0x01500000,
                    .nameAlg = TPM2_ALG_SHA256,
                    .attributes = TPMA_NV_OWNERREAD | TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT,
                    .authPolicy = {},
                    .dataSize = 8};
  same_as_mu(T::NvPublic, index);
  TPML_PCR_SELECTION pcrs{};
  pcrs.count = 1;
  pcrs.pcrSelections[0] = {.hash = TPM2_ALG_SHA256, .sizeofSelect = 3, .pcrSelect = {0x81, 0, 1}};
  same_as_mu(T::PcrSelections, pcrs);
  same_as_mu(T::TimeInfo, TPMS_TIME_INFO{});
  same_as_mu(T::HashcheckTicket,
             TPMT_TK_HASHCHECK{.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL, .digest = {}});
  TPMS_CAPABILITY_DATA properties{};
  properties.capability = TPM2_CAP_TPM_PROPERTIES;
  properties.data.tpmProperties.count = 1;
  properties.data.tpmProperties.tpmProperty[0] = {.property = TPM2_PT_MANUFACTURER,
                                                  .value = 0x49424D00};
  same_as_mu(T::CapabilityData, properties);
}

TEST_CASE("values are told in words", "[dissect][parameters]") {
  const auto text_of = [](T type, const Buffer& bytes) {
    return field_of(type, bytes).fields.back().text;
  };
  CHECK(text_of(T::Algorithm, {0, 0x0B}) == "TPM_ALG_SHA256");
  CHECK(text_of(T::Algorithm, {0x77, 0x77}) == "0x7777, which is not known here");
  CHECK(text_of(T::Handle, {0, 0, 0, 7}) == "PCR 7");
  CHECK(text_of(T::Handle, {0x40, 0, 0, 7}) == "TPM_RH_NULL");
  CHECK(text_of(T::Handle, {0x40, 0, 1, 0x40}) == "TPM_RH_OWNER, limited to a firmware");
  CHECK(text_of(T::I32, {0xFF, 0xFF, 0xFF, 0xFE}) == "-2");
  CHECK(text_of(T::YesNo, {1}) == "yes");
  CHECK(text_of(T::Locality, {5}) == "locality 0, 2");
  CHECK(text_of(T::SessionType, {1}) == "policy session");
  CHECK(text_of(T::CommandCode, {0, 0, 1, 0x7B}) == "TPM2_GetRandom");
  CHECK(text_of(T::Digest, {0, 0}) == "empty");
}

TEST_CASE("values that cannot be are faults", "[dissect][parameters]") {
  const auto fault_of = [](T type, const Buffer& bytes) {
    const Dissection message = field_of(type, bytes);
    return message.faults.empty() ? "" : message.faults.front().text;
  };
  CHECK(fault_of(T::YesNo, {2}) == "value is neither 0 nor 1");
  CHECK(fault_of(T::Symmetric, {0, 1}) ==
        "TPM_ALG_RSA is no algorithm that a TPMT_SYM_DEF can have");
  CHECK(fault_of(T::Digests, {0xFF, 0xFF, 0xFF, 0xFF}).starts_with("[0].size takes 2 bytes"));
  CHECK(fault_of(T::Attest, {0, 4, 0, 0, 0, 0}).starts_with("magic is not TPM_GENERATED_VALUE"));
  CHECK(fault_of(T::EccPoint, {0, 5, 0, 0, 0, 0, 9}) ==
        "value should end here, but 1 byte follows");
}
