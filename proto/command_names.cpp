#include "proto/command_names.h"

#include <algorithm>
#include <array>

#include "proto/tpm/constants.h"

namespace tbs::proto {
namespace {

struct Row {
  std::uint32_t code;
  std::string_view name;
};

constexpr std::array kRows = {
    Row{TPM2_CC_NV_UndefineSpaceSpecial, "NV_UndefineSpaceSpecial"},
    Row{TPM2_CC_EvictControl, "EvictControl"},
    Row{TPM2_CC_HierarchyControl, "HierarchyControl"},
    Row{TPM2_CC_NV_UndefineSpace, "NV_UndefineSpace"},
    Row{TPM2_CC_ChangeEPS, "ChangeEPS"},
    Row{TPM2_CC_ChangePPS, "ChangePPS"},
    Row{TPM2_CC_Clear, "Clear"},
    Row{TPM2_CC_ClearControl, "ClearControl"},
    Row{TPM2_CC_ClockSet, "ClockSet"},
    Row{TPM2_CC_HierarchyChangeAuth, "HierarchyChangeAuth"},
    Row{TPM2_CC_NV_DefineSpace, "NV_DefineSpace"},
    Row{TPM2_CC_PCR_Allocate, "PCR_Allocate"},
    Row{TPM2_CC_PCR_SetAuthPolicy, "PCR_SetAuthPolicy"},
    Row{TPM2_CC_PP_Commands, "PP_Commands"},
    Row{TPM2_CC_SetPrimaryPolicy, "SetPrimaryPolicy"},
    Row{TPM2_CC_FieldUpgradeStart, "FieldUpgradeStart"},
    Row{TPM2_CC_ClockRateAdjust, "ClockRateAdjust"},
    Row{TPM2_CC_CreatePrimary, "CreatePrimary"},
    Row{TPM2_CC_NV_GlobalWriteLock, "NV_GlobalWriteLock"},
    Row{TPM2_CC_GetCommandAuditDigest, "GetCommandAuditDigest"},
    Row{TPM2_CC_NV_Increment, "NV_Increment"},
    Row{TPM2_CC_NV_SetBits, "NV_SetBits"},
    Row{TPM2_CC_NV_Extend, "NV_Extend"},
    Row{TPM2_CC_NV_Write, "NV_Write"},
    Row{TPM2_CC_NV_WriteLock, "NV_WriteLock"},
    Row{TPM2_CC_DictionaryAttackLockReset, "DictionaryAttackLockReset"},
    Row{TPM2_CC_DictionaryAttackParameters, "DictionaryAttackParameters"},
    Row{TPM2_CC_NV_ChangeAuth, "NV_ChangeAuth"},
    Row{TPM2_CC_PCR_Event, "PCR_Event"},
    Row{TPM2_CC_PCR_Reset, "PCR_Reset"},
    Row{TPM2_CC_SequenceComplete, "SequenceComplete"},
    Row{TPM2_CC_SetAlgorithmSet, "SetAlgorithmSet"},
    Row{TPM2_CC_SetCommandCodeAuditStatus, "SetCommandCodeAuditStatus"},
    Row{TPM2_CC_FieldUpgradeData, "FieldUpgradeData"},
    Row{TPM2_CC_IncrementalSelfTest, "IncrementalSelfTest"},
    Row{TPM2_CC_SelfTest, "SelfTest"},
    Row{TPM2_CC_Startup, "Startup"},
    Row{TPM2_CC_Shutdown, "Shutdown"},
    Row{TPM2_CC_StirRandom, "StirRandom"},
    Row{TPM2_CC_ActivateCredential, "ActivateCredential"},
    Row{TPM2_CC_Certify, "Certify"},
    Row{TPM2_CC_PolicyNV, "PolicyNV"},
    Row{TPM2_CC_CertifyCreation, "CertifyCreation"},
    Row{TPM2_CC_Duplicate, "Duplicate"},
    Row{TPM2_CC_GetTime, "GetTime"},
    Row{TPM2_CC_GetSessionAuditDigest, "GetSessionAuditDigest"},
    Row{TPM2_CC_NV_Read, "NV_Read"},
    Row{TPM2_CC_NV_ReadLock, "NV_ReadLock"},
    Row{TPM2_CC_ObjectChangeAuth, "ObjectChangeAuth"},
    Row{TPM2_CC_PolicySecret, "PolicySecret"},
    Row{TPM2_CC_Rewrap, "Rewrap"},
    Row{TPM2_CC_Create, "Create"},
    Row{TPM2_CC_ECDH_ZGen, "ECDH_ZGen"},
    Row{TPM2_CC_HMAC, "HMAC"},
    Row{TPM2_CC_Import, "Import"},
    Row{TPM2_CC_Load, "Load"},
    Row{TPM2_CC_Quote, "Quote"},
    Row{TPM2_CC_RSA_Decrypt, "RSA_Decrypt"},
    Row{TPM2_CC_HMAC_Start, "HMAC_Start"},
    Row{TPM2_CC_SequenceUpdate, "SequenceUpdate"},
    Row{TPM2_CC_Sign, "Sign"},
    Row{TPM2_CC_Unseal, "Unseal"},
    Row{TPM2_CC_PolicySigned, "PolicySigned"},
    Row{TPM2_CC_ContextLoad, "ContextLoad"},
    Row{TPM2_CC_ContextSave, "ContextSave"},
    Row{TPM2_CC_ECDH_KeyGen, "ECDH_KeyGen"},
    Row{TPM2_CC_EncryptDecrypt, "EncryptDecrypt"},
    Row{TPM2_CC_FlushContext, "FlushContext"},
    Row{TPM2_CC_LoadExternal, "LoadExternal"},
    Row{TPM2_CC_MakeCredential, "MakeCredential"},
    Row{TPM2_CC_NV_ReadPublic, "NV_ReadPublic"},
    Row{TPM2_CC_PolicyAuthorize, "PolicyAuthorize"},
    Row{TPM2_CC_PolicyAuthValue, "PolicyAuthValue"},
    Row{TPM2_CC_PolicyCommandCode, "PolicyCommandCode"},
    Row{TPM2_CC_PolicyCounterTimer, "PolicyCounterTimer"},
    Row{TPM2_CC_PolicyCpHash, "PolicyCpHash"},
    Row{TPM2_CC_PolicyLocality, "PolicyLocality"},
    Row{TPM2_CC_PolicyNameHash, "PolicyNameHash"},
    Row{TPM2_CC_PolicyOR, "PolicyOR"},
    Row{TPM2_CC_PolicyTicket, "PolicyTicket"},
    Row{TPM2_CC_ReadPublic, "ReadPublic"},
    Row{TPM2_CC_RSA_Encrypt, "RSA_Encrypt"},
    Row{TPM2_CC_StartAuthSession, "StartAuthSession"},
    Row{TPM2_CC_VerifySignature, "VerifySignature"},
    Row{TPM2_CC_ECC_Parameters, "ECC_Parameters"},
    Row{TPM2_CC_FirmwareRead, "FirmwareRead"},
    Row{TPM2_CC_GetCapability, "GetCapability"},
    Row{TPM2_CC_GetRandom, "GetRandom"},
    Row{TPM2_CC_GetTestResult, "GetTestResult"},
    Row{TPM2_CC_Hash, "Hash"},
    Row{TPM2_CC_PCR_Read, "PCR_Read"},
    Row{TPM2_CC_PolicyPCR, "PolicyPCR"},
    Row{TPM2_CC_PolicyRestart, "PolicyRestart"},
    Row{TPM2_CC_ReadClock, "ReadClock"},
    Row{TPM2_CC_PCR_Extend, "PCR_Extend"},
    Row{TPM2_CC_PCR_SetAuthValue, "PCR_SetAuthValue"},
    Row{TPM2_CC_NV_Certify, "NV_Certify"},
    Row{TPM2_CC_EventSequenceComplete, "EventSequenceComplete"},
    Row{TPM2_CC_HashSequenceStart, "HashSequenceStart"},
    Row{TPM2_CC_PolicyPhysicalPresence, "PolicyPhysicalPresence"},
    Row{TPM2_CC_PolicyDuplicationSelect, "PolicyDuplicationSelect"},
    Row{TPM2_CC_PolicyGetDigest, "PolicyGetDigest"},
    Row{TPM2_CC_TestParms, "TestParms"},
    Row{TPM2_CC_Commit, "Commit"},
    Row{TPM2_CC_PolicyPassword, "PolicyPassword"},
    Row{TPM2_CC_ZGen_2Phase, "ZGen_2Phase"},
    Row{TPM2_CC_EC_Ephemeral, "EC_Ephemeral"},
    Row{TPM2_CC_PolicyNvWritten, "PolicyNvWritten"},
    Row{TPM2_CC_PolicyTemplate, "PolicyTemplate"},
    Row{TPM2_CC_CreateLoaded, "CreateLoaded"},
    Row{TPM2_CC_PolicyAuthorizeNV, "PolicyAuthorizeNV"},
    Row{TPM2_CC_EncryptDecrypt2, "EncryptDecrypt2"},
    Row{TPM2_CC_AC_GetCapability, "AC_GetCapability"},
    Row{TPM2_CC_AC_Send, "AC_Send"},
    Row{TPM2_CC_Policy_AC_SendSelect, "Policy_AC_SendSelect"},
    Row{TPM2_CC_CertifyX509, "CertifyX509"},
    Row{TPM2_CC_ACT_SetTimeout, "ACT_SetTimeout"},
    Row{tpm::cc::kEccEncrypt, "ECC_Encrypt"},
    Row{tpm::cc::kEccDecrypt, "ECC_Decrypt"},
    Row{tpm::cc::kPolicyCapability, "PolicyCapability"},
    Row{tpm::cc::kPolicyParameters, "PolicyParameters"},
    Row{tpm::cc::kNvDefineSpace2, "NV_DefineSpace2"},
    Row{tpm::cc::kNvReadPublic2, "NV_ReadPublic2"},
    Row{tpm::cc::kSetCapability, "SetCapability"},
    Row{tpm::cc::kReadOnlyControl, "ReadOnlyControl"},
    Row{tpm::cc::kPolicyTransportSpdm, "PolicyTransportSPDM"},
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view command_name(std::uint32_t code) {
  const auto* const row = std::ranges::find(kRows, code, &Row::code);
  return row == kRows.end() ? std::string_view{} : row->name;
}

std::optional<std::uint32_t> command_code(std::string_view name) {
  const auto* const row =
      std::ranges::find_if(kRows, [&](const Row& known) { return same(known.name, name); });
  if (row == kRows.end()) return std::nullopt;
  return row->code;
}

}  // namespace tbs::proto
