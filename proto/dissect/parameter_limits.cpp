#include "proto/dissect/parameter_limits.h"

#include <memory>

#include <tss2/tss2_mu.h>

namespace tbs::dissect {
namespace {

using T = tpm::ParameterType;
using proto::Bytes;

template <typename Structure, typename Unmarshal>
std::size_t taken(Bytes bytes, Unmarshal unmarshal) {
  if (bytes.empty()) return 0;
  // Some of them have lists of hundreds of items.
  const auto structure = std::make_unique<Structure>();
  std::size_t size = 0;
  return unmarshal(bytes.data(), bytes.size(), &size, structure.get()) == TSS2_RC_SUCCESS ? size
                                                                                          : 0;
}

#define TBS_TAKEN(name) taken<name>(bytes, Tss2_MU_##name##_Unmarshal)

std::optional<std::size_t> bytes_of_buffer(T type, Bytes bytes) {
  switch (type) {
    case T::Auth:
      return TBS_TAKEN(TPM2B_AUTH);
    case T::Data:
      return TBS_TAKEN(TPM2B_DATA);
    case T::Digest:
      return TBS_TAKEN(TPM2B_DIGEST);
    case T::EccParameter:
      return TBS_TAKEN(TPM2B_ECC_PARAMETER);
    case T::EncryptedSecret:
      return TBS_TAKEN(TPM2B_ENCRYPTED_SECRET);
    case T::Event:
      return TBS_TAKEN(TPM2B_EVENT);
    case T::IdObject:
      return TBS_TAKEN(TPM2B_ID_OBJECT);
    case T::Iv:
      return TBS_TAKEN(TPM2B_IV);
    case T::MaxBuffer:
      return TBS_TAKEN(TPM2B_MAX_BUFFER);
    case T::MaxNvBuffer:
      return TBS_TAKEN(TPM2B_MAX_NV_BUFFER);
    case T::Name:
      return TBS_TAKEN(TPM2B_NAME);
    case T::Nonce:
      return TBS_TAKEN(TPM2B_NONCE);
    case T::Operand:
      return TBS_TAKEN(TPM2B_OPERAND);
    case T::Private:
      return TBS_TAKEN(TPM2B_PRIVATE);
    case T::PublicKeyRsa:
      return TBS_TAKEN(TPM2B_PUBLIC_KEY_RSA);
    case T::SensitiveData:
      return TBS_TAKEN(TPM2B_SENSITIVE_DATA);
    case T::Template:
      return TBS_TAKEN(TPM2B_TEMPLATE);
    case T::Timeout:
      return TBS_TAKEN(TPM2B_TIMEOUT);
    default:
      return std::nullopt;
  }
}

std::optional<std::size_t> bytes_of_structure(T type, Bytes bytes) {
  switch (type) {
    case T::Attest:
      return TBS_TAKEN(TPM2B_ATTEST);
    case T::CreationData:
      return TBS_TAKEN(TPM2B_CREATION_DATA);
    case T::EccPoint:
      return TBS_TAKEN(TPM2B_ECC_POINT);
    case T::NvPublic:
      return TBS_TAKEN(TPM2B_NV_PUBLIC);
    case T::Public:
      return TBS_TAKEN(TPM2B_PUBLIC);
    case T::SensitiveCreate:
      return TBS_TAKEN(TPM2B_SENSITIVE_CREATE);
    case T::Algorithms:
      return TBS_TAKEN(TPML_ALG);
    case T::CommandCodes:
      return TBS_TAKEN(TPML_CC);
    case T::Digests:
      return TBS_TAKEN(TPML_DIGEST);
    case T::DigestValues:
      return TBS_TAKEN(TPML_DIGEST_VALUES);
    case T::PcrSelections:
      return TBS_TAKEN(TPML_PCR_SELECTION);
    case T::CapabilityData:
      return TBS_TAKEN(TPMS_CAPABILITY_DATA);
    case T::Context:
      return TBS_TAKEN(TPMS_CONTEXT);
    case T::Signature:
      return TBS_TAKEN(TPMT_SIGNATURE);
    case T::SignatureScheme:
      return TBS_TAKEN(TPMT_SIG_SCHEME);
    case T::RsaScheme:
      return TBS_TAKEN(TPMT_RSA_DECRYPT);
    case T::Symmetric:
      return TBS_TAKEN(TPMT_SYM_DEF);
    case T::SymmetricObject:
      return TBS_TAKEN(TPMT_SYM_DEF_OBJECT);
    case T::TimeInfo:
      return TBS_TAKEN(TPMS_TIME_INFO);
    case T::CreationTicket:
      return TBS_TAKEN(TPMT_TK_CREATION);
    case T::VerifiedTicket:
      return TBS_TAKEN(TPMT_TK_VERIFIED);
    case T::AuthTicket:
      return TBS_TAKEN(TPMT_TK_AUTH);
    case T::HashcheckTicket:
      return TBS_TAKEN(TPMT_TK_HASHCHECK);
    case T::PublicParms:
      return TBS_TAKEN(TPMT_PUBLIC_PARMS);
    default:
      return std::nullopt;
  }
}

#undef TBS_TAKEN

}  // namespace

std::optional<std::size_t> bytes_of_parameter(T type, Bytes bytes) {
  const auto buffer = bytes_of_buffer(type, bytes);
  return buffer ? buffer : bytes_of_structure(type, bytes);
}

}  // namespace tbs::dissect
