#pragma once

// The template of a P-256 key that signs SHA-256 digests by ECDSA, restricted to nothing and not
// guarded against guessing.

#include <cstdint>
#include <span>

#include "proto/tpm/structures.h"

namespace tbs::test {

// Each `unique` makes a primary key of its own.
inline TPMT_PUBLIC signing_template(std::span<const std::uint8_t> unique) {
  TPMT_PUBLIC key{};
  key.type = TPM2_ALG_ECC;
  key.nameAlg = TPM2_ALG_SHA256;
  key.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                         TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
                         TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT;
  TPMS_ECC_PARMS& parameters = key.parameters.eccDetail;
  parameters.symmetric.algorithm = TPM2_ALG_NULL;
  parameters.scheme.scheme = TPM2_ALG_ECDSA;
  parameters.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  parameters.curveID = TPM2_ECC_NIST_P256;
  parameters.kdf.scheme = TPM2_ALG_NULL;
  key.unique.ecc.x = *tbs::tpm::sized<TPM2B_ECC_PARAMETER>(unique);
  return key;
}

}  // namespace tbs::test
