#include "proto/tpm/constant_names.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

using namespace tbs::tpm;

TEST_CASE("numbers have the names of the specification", "[tpm][names]") {
  CHECK(algorithm_name(TPM2_ALG_SHA256) == "TPM_ALG_SHA256");
  CHECK(algorithm_name(TPM2_ALG_SHA1) == "TPM_ALG_SHA1");
  CHECK(algorithm_name(0x7777).empty());
  CHECK(curve_name(TPM2_ECC_NIST_P256) == "TPM_ECC_NIST_P256");
  CHECK(curve_name(0x7777).empty());
  CHECK(structure_tag_name(TPM2_ST_ATTEST_QUOTE) == "TPM_ST_ATTEST_QUOTE");
  CHECK(capability_name(TPM2_CAP_PCRS) == "TPM_CAP_PCRS");
  CHECK(property_name(TPM2_PT_MANUFACTURER) == "TPM_PT_MANUFACTURER");
  CHECK(property_name(TPM2_PT_LOCKOUT_COUNTER) == "TPM_PT_LOCKOUT_COUNTER");
  CHECK(property_name(TPM2_PT_PCR_COUNT) == "TPM_PT_PCR_COUNT");
  CHECK(permanent_handle_name(TPM2_RH_OWNER) == "TPM_RH_OWNER");
  CHECK(permanent_handle_name(TPM2_RH_PW) == "TPM_RS_PW");
  CHECK(permanent_handle_name(0x80000000).empty());
}

TEST_CASE("digests have the size of their algorithm", "[tpm][names]") {
  CHECK(digest_size(TPM2_ALG_SHA1) == 20);
  CHECK(digest_size(TPM2_ALG_SHA256) == 32);
  CHECK(digest_size(TPM2_ALG_SHA384) == 48);
  CHECK(digest_size(TPM2_ALG_SHA512) == 64);
  CHECK(digest_size(TPM2_ALG_RSA) == 0);
}
