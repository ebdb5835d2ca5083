#include "proto/tpm/structures.h"

#include <cstdlib>

namespace tbs::tpm {

void silence_marshalling() {
  ::setenv("TSS2_LOG", "all+NONE", 0);
}

proto::Buffer password_authorization(proto::Bytes password) {
  const auto value = sized<TPM2B_AUTH>(password);
  if (!value) return {};
  return marshal(TPMS_AUTH_COMMAND{
      .sessionHandle = TPM2_RH_PW, .nonce = {}, .sessionAttributes = 0, .hmac = *value});
}

}  // namespace tbs::tpm
