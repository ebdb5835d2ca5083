#include "proto/command_names.h"

#include <algorithm>
#include <array>

#include "proto/tpm/constants.h"

namespace tbs::proto {
namespace {

struct CommandRow {
  std::uint32_t code;
  std::string_view name;
};

constexpr std::array kCommandRows = {
    CommandRow{TPM2_CC_NV_UndefineSpaceSpecial, "NV_UndefineSpaceSpecial"},
    CommandRow{TPM2_CC_EvictControl, "EvictControl"},
    CommandRow{TPM2_CC_HierarchyControl, "HierarchyControl"},
    CommandRow{TPM2_CC_NV_UndefineSpace, "NV_UndefineSpace"},
    CommandRow{TPM2_CC_ChangeEPS, "ChangeEPS"},
    CommandRow{TPM2_CC_ChangePPS, "ChangePPS"},
    CommandRow{TPM2_CC_Clear, "Clear"},
    CommandRow{TPM2_CC_ClearControl, "ClearControl"},
    CommandRow{TPM2_CC_ClockSet, "ClockSet"},
    CommandRow{TPM2_CC_HierarchyChangeAuth, "HierarchyChangeAuth"},
    CommandRow{TPM2_CC_NV_DefineSpace, "NV_DefineSpace"},
    CommandRow{TPM2_CC_PCR_Allocate, "PCR_Allocate"},
    CommandRow{TPM2_CC_PCR_SetAuthPolicy, "PCR_SetAuthPolicy"},
    CommandRow{TPM2_CC_PP_Commands, "PP_Commands"},
    CommandRow{TPM2_CC_SetPrimaryPolicy, "SetPrimaryPolicy"},
    CommandRow{TPM2_CC_FieldUpgradeStart, "FieldUpgradeStart"},
    CommandRow{TPM2_CC_ClockRateAdjust, "ClockRateAdjust"},
    CommandRow{TPM2_CC_CreatePrimary, "CreatePrimary"},
    CommandRow{TPM2_CC_NV_GlobalWriteLock, "NV_GlobalWriteLock"},
    CommandRow{TPM2_CC_GetCommandAuditDigest, "GetCommandAuditDigest"},
    CommandRow{TPM2_CC_NV_Increment, "NV_Increment"},
    CommandRow{TPM2_CC_NV_SetBits, "NV_SetBits"},
    CommandRow{TPM2_CC_NV_Extend, "NV_Extend"},
    CommandRow{TPM2_CC_NV_Write, "NV_Write"},
    CommandRow{TPM2_CC_NV_WriteLock, "NV_WriteLock"},
    CommandRow{TPM2_CC_DictionaryAttackLockReset, "DictionaryAttackLockReset"},
    CommandRow{TPM2_CC_DictionaryAttackParameters, "DictionaryAttackParameters"},
    CommandRow{TPM2_CC_NV_ChangeAuth, "NV_ChangeAuth"},
    CommandRow{TPM2_CC_PCR_Event, "PCR_Event"},
    CommandRow{TPM2_CC_PCR_Reset, "PCR_Reset"},
    CommandRow{TPM2_CC_SequenceComplete, "SequenceComplete"},
    CommandRow{TPM2_CC_SetAlgorithmSet, "SetAlgorithmSet"},
    CommandRow{TPM2_CC_SetCommandCodeAuditStatus, "SetCommandCodeAuditStatus"},
    CommandRow{TPM2_CC_FieldUpgradeData, "FieldUpgradeData"},
    CommandRow{TPM2_CC_IncrementalSelfTest, "IncrementalSelfTest"},
    CommandRow{TPM2_CC_SelfTest, "SelfTest"},
    CommandRow{TPM2_CC_Startup, "Startup"},
    CommandRow{TPM2_CC_Shutdown, "Shutdown"},
    CommandRow{TPM2_CC_StirRandom, "StirRandom"},
    CommandRow{TPM2_CC_ActivateCredential, "ActivateCredential"},
    CommandRow{TPM2_CC_Certify, "Certify"},
    CommandRow{TPM2_CC_PolicyNV, "PolicyNV"},
    CommandRow{TPM2_CC_CertifyCreation, "CertifyCreation"},
    CommandRow{TPM2_CC_Duplicate, "Duplicate"},
    CommandRow{TPM2_CC_GetTime, "GetTime"},
    CommandRow{TPM2_CC_GetSessionAuditDigest, "GetSessionAuditDigest"},
    CommandRow{TPM2_CC_NV_Read, "NV_Read"},
    CommandRow{TPM2_CC_NV_ReadLock, "NV_ReadLock"},
    CommandRow{TPM2_CC_ObjectChangeAuth, "ObjectChangeAuth"},
    CommandRow{TPM2_CC_PolicySecret, "PolicySecret"},
    CommandRow{TPM2_CC_Rewrap, "Rewrap"},
    CommandRow{TPM2_CC_Create, "Create"},
    CommandRow{TPM2_CC_ECDH_ZGen, "ECDH_ZGen"},
    CommandRow{TPM2_CC_HMAC, "HMAC"},
    CommandRow{TPM2_CC_Import, "Import"},
    CommandRow{TPM2_CC_Load, "Load"},
    CommandRow{TPM2_CC_Quote, "Quote"},
    CommandRow{TPM2_CC_RSA_Decrypt, "RSA_Decrypt"},
    CommandRow{TPM2_CC_HMAC_Start, "HMAC_Start"},
    CommandRow{TPM2_CC_SequenceUpdate, "SequenceUpdate"},
    CommandRow{TPM2_CC_Sign, "Sign"},
    CommandRow{TPM2_CC_Unseal, "Unseal"},
    CommandRow{TPM2_CC_PolicySigned, "PolicySigned"},
    CommandRow{TPM2_CC_ContextLoad, "ContextLoad"},
    CommandRow{TPM2_CC_ContextSave, "ContextSave"},
    CommandRow{TPM2_CC_ECDH_KeyGen, "ECDH_KeyGen"},
    CommandRow{TPM2_CC_EncryptDecrypt, "EncryptDecrypt"},
    CommandRow{TPM2_CC_FlushContext, "FlushContext"},
    CommandRow{TPM2_CC_LoadExternal, "LoadExternal"},
    CommandRow{TPM2_CC_MakeCredential, "MakeCredential"},
    CommandRow{TPM2_CC_NV_ReadPublic, "NV_ReadPublic"},
    CommandRow{TPM2_CC_PolicyAuthorize, "PolicyAuthorize"},
    CommandRow{TPM2_CC_PolicyAuthValue, "PolicyAuthValue"},
    CommandRow{TPM2_CC_PolicyCommandCode, "PolicyCommandCode"},
    CommandRow{TPM2_CC_PolicyCounterTimer, "PolicyCounterTimer"},
    CommandRow{TPM2_CC_PolicyCpHash, "PolicyCpHash"},
    CommandRow{TPM2_CC_PolicyLocality, "PolicyLocality"},
    CommandRow{TPM2_CC_PolicyNameHash, "PolicyNameHash"},
    CommandRow{TPM2_CC_PolicyOR, "PolicyOR"},
    CommandRow{TPM2_CC_PolicyTicket, "PolicyTicket"},
    CommandRow{TPM2_CC_ReadPublic, "ReadPublic"},
    CommandRow{TPM2_CC_RSA_Encrypt, "RSA_Encrypt"},
    CommandRow{TPM2_CC_StartAuthSession, "StartAuthSession"},
    CommandRow{TPM2_CC_VerifySignature, "VerifySignature"},
    CommandRow{TPM2_CC_ECC_Parameters, "ECC_Parameters"},
    CommandRow{TPM2_CC_FirmwareRead, "FirmwareRead"},
    CommandRow{TPM2_CC_GetCapability, "GetCapability"},
    CommandRow{TPM2_CC_GetRandom, "GetRandom"},
    CommandRow{TPM2_CC_GetTestResult, "GetTestResult"},
    CommandRow{TPM2_CC_Hash, "Hash"},
    CommandRow{TPM2_CC_PCR_Read, "PCR_Read"},
    CommandRow{TPM2_CC_PolicyPCR, "PolicyPCR"},
    CommandRow{TPM2_CC_PolicyRestart, "PolicyRestart"},
    CommandRow{TPM2_CC_ReadClock, "ReadClock"},
    CommandRow{TPM2_CC_PCR_Extend, "PCR_Extend"},
    CommandRow{TPM2_CC_PCR_SetAuthValue, "PCR_SetAuthValue"},
    CommandRow{TPM2_CC_NV_Certify, "NV_Certify"},
    CommandRow{TPM2_CC_EventSequenceComplete, "EventSequenceComplete"},
    CommandRow{TPM2_CC_HashSequenceStart, "HashSequenceStart"},
    CommandRow{TPM2_CC_PolicyPhysicalPresence, "PolicyPhysicalPresence"},
    CommandRow{TPM2_CC_PolicyDuplicationSelect, "PolicyDuplicationSelect"},
    CommandRow{TPM2_CC_PolicyGetDigest, "PolicyGetDigest"},
    CommandRow{TPM2_CC_TestParms, "TestParms"},
    CommandRow{TPM2_CC_Commit, "Commit"},
    CommandRow{TPM2_CC_PolicyPassword, "PolicyPassword"},
    CommandRow{TPM2_CC_ZGen_2Phase, "ZGen_2Phase"},
    CommandRow{TPM2_CC_EC_Ephemeral, "EC_Ephemeral"},
    CommandRow{TPM2_CC_PolicyNvWritten, "PolicyNvWritten"},
    CommandRow{TPM2_CC_PolicyTemplate, "PolicyTemplate"},
    CommandRow{TPM2_CC_CreateLoaded, "CreateLoaded"},
    CommandRow{TPM2_CC_PolicyAuthorizeNV, "PolicyAuthorizeNV"},
    CommandRow{TPM2_CC_EncryptDecrypt2, "EncryptDecrypt2"},
    CommandRow{TPM2_CC_AC_GetCapability, "AC_GetCapability"},
    CommandRow{TPM2_CC_AC_Send, "AC_Send"},
    CommandRow{TPM2_CC_Policy_AC_SendSelect, "Policy_AC_SendSelect"},
    CommandRow{TPM2_CC_CertifyX509, "CertifyX509"},
    CommandRow{TPM2_CC_ACT_SetTimeout, "ACT_SetTimeout"},
    CommandRow{tpm::cc::kEccEncrypt, "ECC_Encrypt"},
    CommandRow{tpm::cc::kEccDecrypt, "ECC_Decrypt"},
    CommandRow{tpm::cc::kPolicyCapability, "PolicyCapability"},
    CommandRow{tpm::cc::kPolicyParameters, "PolicyParameters"},
    CommandRow{tpm::cc::kNvDefineSpace2, "NV_DefineSpace2"},
    CommandRow{tpm::cc::kNvReadPublic2, "NV_ReadPublic2"},
    CommandRow{tpm::cc::kSetCapability, "SetCapability"},
    CommandRow{tpm::cc::kReadOnlyControl, "ReadOnlyControl"},
    CommandRow{tpm::cc::kPolicyTransportSpdm, "PolicyTransportSPDM"},
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view command_name(std::uint32_t code) {
  const auto* const row = std::ranges::find(kCommandRows, code, &CommandRow::code);
  return row == kCommandRows.end() ? std::string_view{} : row->name;
}

std::optional<std::uint32_t> command_code(std::string_view name) {
  const auto* const row = std::ranges::find_if(
      kCommandRows, [&](const CommandRow& known) { return same(known.name, name); });
  if (row == kCommandRows.end()) return std::nullopt;
  return row->code;
}

}  // namespace tbs::proto
