#include "daemon/command/command_kind.h"

#include <algorithm>
#include <array>
#include <span>

#include "proto/tpm/constants.h"
#include "proto/tpm12/ordinals.h"

namespace tbs {
namespace {

namespace ord = tpm12::ord;

struct KindOfCode {
  std::uint32_t code;
  CommandKind kind;
};

template <std::size_t kSize>
constexpr std::array<KindOfCode, kSize> by_code(std::array<KindOfCode, kSize> table) {
  std::ranges::sort(table, {}, &KindOfCode::code);
  return table;
}

constexpr auto kKindsByCode = [] {
  using enum CommandKind;
  return by_code(std::to_array<KindOfCode>({
      {TPM2_CC_Create, Create},
      {TPM2_CC_CreatePrimary, Create},
      {TPM2_CC_CreateLoaded, Create},
      {TPM2_CC_EC_Ephemeral, Create},

      {TPM2_CC_Load, Key},
      {TPM2_CC_LoadExternal, Key},
      {TPM2_CC_Import, Key},
      {TPM2_CC_Duplicate, Key},
      {TPM2_CC_Rewrap, Key},
      {TPM2_CC_Unseal, Key},
      {TPM2_CC_Sign, Key},
      {TPM2_CC_VerifySignature, Key},
      {TPM2_CC_RSA_Encrypt, Key},
      {TPM2_CC_RSA_Decrypt, Key},
      {TPM2_CC_ECDH_KeyGen, Key},
      {TPM2_CC_ECDH_ZGen, Key},
      {TPM2_CC_ZGen_2Phase, Key},
      {TPM2_CC_Commit, Key},
      {TPM2_CC_EncryptDecrypt, Key},
      {TPM2_CC_EncryptDecrypt2, Key},
      {TPM2_CC_HMAC, Key},
      {TPM2_CC_HMAC_Start, Key},
      {TPM2_CC_ActivateCredential, Key},
      {TPM2_CC_MakeCredential, Key},
      {TPM2_CC_Certify, Key},
      {TPM2_CC_CertifyCreation, Key},
      {TPM2_CC_CertifyX509, Key},
      {TPM2_CC_Quote, Key},
      {TPM2_CC_GetTime, Key},
      {TPM2_CC_GetSessionAuditDigest, Key},
      {TPM2_CC_GetCommandAuditDigest, Key},
      {TPM2_CC_NV_Certify, Key},
      {TPM2_CC_ObjectChangeAuth, Key},
      {TPM2_CC_EvictControl, Key},
      {tpm::cc::kEccEncrypt, Key},
      {tpm::cc::kEccDecrypt, Key},

      {TPM2_CC_StartAuthSession, Session},
      {TPM2_CC_PolicyRestart, Session},
      {TPM2_CC_PolicyAuthorize, Session},
      {TPM2_CC_PolicyAuthorizeNV, Session},
      {TPM2_CC_PolicyAuthValue, Session},
      {TPM2_CC_PolicyCommandCode, Session},
      {TPM2_CC_PolicyCounterTimer, Session},
      {TPM2_CC_PolicyCpHash, Session},
      {TPM2_CC_PolicyDuplicationSelect, Session},
      {TPM2_CC_PolicyGetDigest, Session},
      {TPM2_CC_PolicyLocality, Session},
      {TPM2_CC_PolicyNameHash, Session},
      {TPM2_CC_PolicyNV, Session},
      {TPM2_CC_PolicyNvWritten, Session},
      {TPM2_CC_PolicyOR, Session},
      {TPM2_CC_PolicyPassword, Session},
      {TPM2_CC_PolicyPCR, Session},
      {TPM2_CC_PolicyPhysicalPresence, Session},
      {TPM2_CC_PolicySecret, Session},
      {TPM2_CC_PolicySigned, Session},
      {TPM2_CC_PolicyTemplate, Session},
      {TPM2_CC_PolicyTicket, Session},
      {tpm::cc::kPolicyCapability, Session},
      {tpm::cc::kPolicyParameters, Session},
      {tpm::cc::kPolicyTransportSpdm, Session},

      {TPM2_CC_NV_DefineSpace, Nv},
      {TPM2_CC_NV_UndefineSpace, Nv},
      {TPM2_CC_NV_UndefineSpaceSpecial, Nv},
      {TPM2_CC_NV_ReadPublic, Nv},
      {TPM2_CC_NV_Read, Nv},
      {TPM2_CC_NV_ReadLock, Nv},
      {TPM2_CC_NV_Write, Nv},
      {TPM2_CC_NV_WriteLock, Nv},
      {TPM2_CC_NV_GlobalWriteLock, Nv},
      {TPM2_CC_NV_Increment, Nv},
      {TPM2_CC_NV_SetBits, Nv},
      {TPM2_CC_NV_Extend, Nv},
      {TPM2_CC_NV_ChangeAuth, Nv},
      {tpm::cc::kNvDefineSpace2, Nv},
      {tpm::cc::kNvReadPublic2, Nv},

      {TPM2_CC_PCR_Read, Pcr},
      {TPM2_CC_PCR_Extend, Pcr},
      {TPM2_CC_PCR_Event, Pcr},
      {TPM2_CC_PCR_Reset, Pcr},

      {TPM2_CC_GetRandom, Random},
      {TPM2_CC_StirRandom, Random},
      {TPM2_CC_Hash, Random},
      {TPM2_CC_HashSequenceStart, Random},
      {TPM2_CC_SequenceUpdate, Random},
      {TPM2_CC_SequenceComplete, Random},
      {TPM2_CC_EventSequenceComplete, Random},

      {TPM2_CC_GetCapability, Information},
      {TPM2_CC_ReadPublic, Information},
      {TPM2_CC_ReadClock, Information},
      {TPM2_CC_GetTestResult, Information},
      {TPM2_CC_TestParms, Information},
      {TPM2_CC_ECC_Parameters, Information},
      {TPM2_CC_FlushContext, Information},
      {TPM2_CC_ContextSave, Information},
      {TPM2_CC_ContextLoad, Information},

      {ord::kCreateWrapKey, Create},
      {ord::kCmkCreateKey, Create},
      {ord::kMakeIdentity, Create},
      {ord::kCreateEndorsementKeyPair, Create},
      {ord::kCreateRevocableEk, Create},

      {ord::kLoadKey, Key},
      {ord::kLoadKey2, Key},
      {ord::kGetPubKey, Key},
      {ord::kSeal, Key},
      {ord::kSealx, Key},
      {ord::kUnseal, Key},
      {ord::kUnBind, Key},
      {ord::kSign, Key},
      {ord::kQuote, Key},
      {ord::kQuote2, Key},
      {ord::kCertifyKey, Key},
      {ord::kCertifyKey2, Key},
      {ord::kActivateIdentity, Key},
      {ord::kTickStampBlob, Key},
      {ord::kChangeAuth, Key},

      {ord::kOiap, Session},
      {ord::kOsap, Session},
      {ord::kDsap, Session},
      {ord::kTerminateHandle, Session},
      {ord::kEstablishTransport, Session},
      {ord::kReleaseTransportSigned, Session},

      {ord::kNvDefineSpace, Nv},
      {ord::kNvWriteValue, Nv},
      {ord::kNvWriteValueAuth, Nv},
      {ord::kNvReadValue, Nv},
      {ord::kNvReadValueAuth, Nv},
      {ord::kCreateCounter, Nv},
      {ord::kIncrementCounter, Nv},
      {ord::kReadCounter, Nv},
      {ord::kReleaseCounter, Nv},

      {ord::kPcrRead, Pcr},
      {ord::kExtend, Pcr},
      {ord::kPcrReset, Pcr},

      {ord::kGetRandom, Random},
      {ord::kStirRandom, Random},
      {ord::kSha1Start, Random},
      {ord::kSha1Update, Random},
      {ord::kSha1Complete, Random},
      {ord::kSha1CompleteExtend, Random},

      {ord::kGetCapability, Information},
      {ord::kReadPubek, Information},
      {ord::kGetTestResult, Information},
      {ord::kGetTicks, Information},
      {ord::kFlushSpecific, Information},
      {ord::kEvictKey, Information},
      {ord::kSaveContext, Information},
      {ord::kLoadContext, Information},
  }));
}();

}  // namespace

CommandKind kind_of(std::uint32_t command_code) {
  const auto* const found =
      std::ranges::lower_bound(kKindsByCode, command_code, {}, &KindOfCode::code);
  return found != kKindsByCode.end() && found->code == command_code ? found->kind
                                                                    : CommandKind::Other;
}

}  // namespace tbs
