#include "proto/tpm12/ordinal_names.h"

#include <algorithm>
#include <array>

#include "proto/tpm12/ordinals.h"

namespace tbs::tpm12 {
namespace {

struct OrdinalRow {
  std::uint32_t ordinal;
  std::string_view name;
};

constexpr std::array kOrdinalRows = {
    OrdinalRow{ord::kOiap, "TPM_OIAP"},
    OrdinalRow{ord::kOsap, "TPM_OSAP"},
    OrdinalRow{ord::kChangeAuth, "TPM_ChangeAuth"},
    OrdinalRow{ord::kTakeOwnership, "TPM_TakeOwnership"},
    OrdinalRow{ord::kChangeAuthAsymStart, "TPM_ChangeAuthAsymStart"},
    OrdinalRow{ord::kChangeAuthAsymFinish, "TPM_ChangeAuthAsymFinish"},
    OrdinalRow{ord::kChangeAuthOwner, "TPM_ChangeAuthOwner"},
    OrdinalRow{ord::kDsap, "TPM_DSAP"},
    OrdinalRow{ord::kCmkCreateTicket, "TPM_CMK_CreateTicket"},
    OrdinalRow{ord::kCmkCreateKey, "TPM_CMK_CreateKey"},
    OrdinalRow{ord::kExtend, "TPM_Extend"},
    OrdinalRow{ord::kPcrRead, "TPM_PCRRead"},
    OrdinalRow{ord::kQuote, "TPM_Quote"},
    OrdinalRow{ord::kSeal, "TPM_Seal"},
    OrdinalRow{ord::kUnseal, "TPM_Unseal"},
    OrdinalRow{ord::kDirWriteAuth, "TPM_DirWriteAuth"},
    OrdinalRow{ord::kDirRead, "TPM_DirRead"},
    OrdinalRow{ord::kCmkCreateBlob, "TPM_CMK_CreateBlob"},
    OrdinalRow{ord::kCmkSetRestrictions, "TPM_CMK_SetRestrictions"},
    OrdinalRow{ord::kCmkApproveMa, "TPM_CMK_ApproveMA"},
    OrdinalRow{ord::kUnBind, "TPM_UnBind"},
    OrdinalRow{ord::kCreateWrapKey, "TPM_CreateWrapKey"},
    OrdinalRow{ord::kLoadKey, "TPM_LoadKey"},
    OrdinalRow{ord::kGetPubKey, "TPM_GetPubKey"},
    OrdinalRow{ord::kEvictKey, "TPM_EvictKey"},
    OrdinalRow{ord::kKeyControlOwner, "TPM_KeyControlOwner"},
    OrdinalRow{ord::kCmkConvertMigration, "TPM_CMK_ConvertMigration"},
    OrdinalRow{ord::kMigrateKey, "TPM_MigrateKey"},
    OrdinalRow{ord::kCreateMigrationBlob, "TPM_CreateMigrationBlob"},
    OrdinalRow{ord::kDaaJoin, "TPM_DAA_Join"},
    OrdinalRow{ord::kConvertMigrationBlob, "TPM_ConvertMigrationBlob"},
    OrdinalRow{ord::kAuthorizeMigrationKey, "TPM_AuthorizeMigrationKey"},
    OrdinalRow{ord::kCreateMaintenanceArchive, "TPM_CreateMaintenanceArchive"},
    OrdinalRow{ord::kLoadMaintenanceArchive, "TPM_LoadMaintenanceArchive"},
    OrdinalRow{ord::kKillMaintenanceFeature, "TPM_KillMaintenanceFeature"},
    OrdinalRow{ord::kLoadManuMaintPub, "TPM_LoadManuMaintPub"},
    OrdinalRow{ord::kReadManuMaintPub, "TPM_ReadManuMaintPub"},
    OrdinalRow{ord::kDaaSign, "TPM_DAA_Sign"},
    OrdinalRow{ord::kCertifyKey, "TPM_CertifyKey"},
    OrdinalRow{ord::kCertifyKey2, "TPM_CertifyKey2"},
    OrdinalRow{ord::kSign, "TPM_Sign"},
    OrdinalRow{ord::kSealx, "TPM_Sealx"},
    OrdinalRow{ord::kQuote2, "TPM_Quote2"},
    OrdinalRow{ord::kSetCapability, "TPM_SetCapability"},
    OrdinalRow{ord::kResetLockValue, "TPM_ResetLockValue"},
    OrdinalRow{ord::kLoadKey2, "TPM_LoadKey2"},
    OrdinalRow{ord::kGetRandom, "TPM_GetRandom"},
    OrdinalRow{ord::kStirRandom, "TPM_StirRandom"},
    OrdinalRow{ord::kSelfTestFull, "TPM_SelfTestFull"},
    OrdinalRow{ord::kCertifySelfTest, "TPM_CertifySelfTest"},
    OrdinalRow{ord::kContinueSelfTest, "TPM_ContinueSelfTest"},
    OrdinalRow{ord::kGetTestResult, "TPM_GetTestResult"},
    OrdinalRow{ord::kReset, "TPM_Reset"},
    OrdinalRow{ord::kOwnerClear, "TPM_OwnerClear"},
    OrdinalRow{ord::kDisableOwnerClear, "TPM_DisableOwnerClear"},
    OrdinalRow{ord::kForceClear, "TPM_ForceClear"},
    OrdinalRow{ord::kDisableForceClear, "TPM_DisableForceClear"},
    OrdinalRow{ord::kGetCapabilitySigned, "TPM_GetCapabilitySigned"},
    OrdinalRow{ord::kGetCapability, "TPM_GetCapability"},
    OrdinalRow{ord::kGetCapabilityOwner, "TPM_GetCapabilityOwner"},
    OrdinalRow{ord::kOwnerSetDisable, "TPM_OwnerSetDisable"},
    OrdinalRow{ord::kPhysicalEnable, "TPM_PhysicalEnable"},
    OrdinalRow{ord::kPhysicalDisable, "TPM_PhysicalDisable"},
    OrdinalRow{ord::kSetOwnerInstall, "TPM_SetOwnerInstall"},
    OrdinalRow{ord::kPhysicalSetDeactivated, "TPM_PhysicalSetDeactivated"},
    OrdinalRow{ord::kSetTempDeactivated, "TPM_SetTempDeactivated"},
    OrdinalRow{ord::kSetOperatorAuth, "TPM_SetOperatorAuth"},
    OrdinalRow{ord::kSetOwnerPointer, "TPM_SetOwnerPointer"},
    OrdinalRow{ord::kCreateEndorsementKeyPair, "TPM_CreateEndorsementKeyPair"},
    OrdinalRow{ord::kMakeIdentity, "TPM_MakeIdentity"},
    OrdinalRow{ord::kActivateIdentity, "TPM_ActivateIdentity"},
    OrdinalRow{ord::kReadPubek, "TPM_ReadPubek"},
    OrdinalRow{ord::kOwnerReadPubek, "TPM_OwnerReadPubek"},
    OrdinalRow{ord::kDisablePubekRead, "TPM_DisablePubekRead"},
    OrdinalRow{ord::kCreateRevocableEk, "TPM_CreateRevocableEK"},
    OrdinalRow{ord::kRevokeTrust, "TPM_RevokeTrust"},
    OrdinalRow{ord::kOwnerReadInternalPub, "TPM_OwnerReadInternalPub"},
    OrdinalRow{ord::kGetAuditEvent, "TPM_GetAuditEvent"},
    OrdinalRow{ord::kGetAuditEventSigned, "TPM_GetAuditEventSigned"},
    OrdinalRow{ord::kGetAuditDigest, "TPM_GetAuditDigest"},
    OrdinalRow{ord::kGetAuditDigestSigned, "TPM_GetAuditDigestSigned"},
    OrdinalRow{ord::kGetOrdinalAuditStatus, "TPM_GetOrdinalAuditStatus"},
    OrdinalRow{ord::kSetOrdinalAuditStatus, "TPM_SetOrdinalAuditStatus"},
    OrdinalRow{ord::kTerminateHandle, "TPM_Terminate_Handle"},
    OrdinalRow{ord::kInit, "TPM_Init"},
    OrdinalRow{ord::kSaveState, "TPM_SaveState"},
    OrdinalRow{ord::kStartup, "TPM_Startup"},
    OrdinalRow{ord::kSetRedirection, "TPM_SetRedirection"},
    OrdinalRow{ord::kSha1Start, "TPM_SHA1Start"},
    OrdinalRow{ord::kSha1Update, "TPM_SHA1Update"},
    OrdinalRow{ord::kSha1Complete, "TPM_SHA1Complete"},
    OrdinalRow{ord::kSha1CompleteExtend, "TPM_SHA1CompleteExtend"},
    OrdinalRow{ord::kFieldUpgrade, "TPM_FieldUpgrade"},
    OrdinalRow{ord::kSaveKeyContext, "TPM_SaveKeyContext"},
    OrdinalRow{ord::kLoadKeyContext, "TPM_LoadKeyContext"},
    OrdinalRow{ord::kSaveAuthContext, "TPM_SaveAuthContext"},
    OrdinalRow{ord::kLoadAuthContext, "TPM_LoadAuthContext"},
    OrdinalRow{ord::kSaveContext, "TPM_SaveContext"},
    OrdinalRow{ord::kLoadContext, "TPM_LoadContext"},
    OrdinalRow{ord::kFlushSpecific, "TPM_FlushSpecific"},
    OrdinalRow{ord::kPcrReset, "TPM_PCR_Reset"},
    OrdinalRow{ord::kNvDefineSpace, "TPM_NV_DefineSpace"},
    OrdinalRow{ord::kNvWriteValue, "TPM_NV_WriteValue"},
    OrdinalRow{ord::kNvWriteValueAuth, "TPM_NV_WriteValueAuth"},
    OrdinalRow{ord::kNvReadValue, "TPM_NV_ReadValue"},
    OrdinalRow{ord::kNvReadValueAuth, "TPM_NV_ReadValueAuth"},
    OrdinalRow{ord::kDelegateUpdateVerification, "TPM_Delegate_UpdateVerification"},
    OrdinalRow{ord::kDelegateManage, "TPM_Delegate_Manage"},
    OrdinalRow{ord::kDelegateCreateKeyDelegation, "TPM_Delegate_CreateKeyDelegation"},
    OrdinalRow{ord::kDelegateCreateOwnerDelegation, "TPM_Delegate_CreateOwnerDelegation"},
    OrdinalRow{ord::kDelegateVerifyDelegation, "TPM_Delegate_VerifyDelegation"},
    OrdinalRow{ord::kDelegateLoadOwnerDelegation, "TPM_Delegate_LoadOwnerDelegation"},
    OrdinalRow{ord::kDelegateReadTable, "TPM_Delegate_ReadTable"},
    OrdinalRow{ord::kCreateCounter, "TPM_CreateCounter"},
    OrdinalRow{ord::kIncrementCounter, "TPM_IncrementCounter"},
    OrdinalRow{ord::kReadCounter, "TPM_ReadCounter"},
    OrdinalRow{ord::kReleaseCounter, "TPM_ReleaseCounter"},
    OrdinalRow{ord::kReleaseCounterOwner, "TPM_ReleaseCounterOwner"},
    OrdinalRow{ord::kEstablishTransport, "TPM_EstablishTransport"},
    OrdinalRow{ord::kExecuteTransport, "TPM_ExecuteTransport"},
    OrdinalRow{ord::kReleaseTransportSigned, "TPM_ReleaseTransportSigned"},
    OrdinalRow{ord::kGetTicks, "TPM_GetTicks"},
    OrdinalRow{ord::kTickStampBlob, "TPM_TickStampBlob"},
    OrdinalRow{ord::kTscPhysicalPresence, "TSC_PhysicalPresence"},
    OrdinalRow{ord::kTscResetEstablishmentBit, "TSC_ResetEstablishmentBit"},
};

bool same_letters(std::string_view a, std::string_view b) {
  const auto small = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, small, small);
}

}  // namespace

std::string_view ordinal_name(std::uint32_t ordinal) {
  const auto* const row = std::ranges::find(kOrdinalRows, ordinal, &OrdinalRow::ordinal);
  return row == kOrdinalRows.end() ? std::string_view{} : row->name;
}

std::optional<std::uint32_t> ordinal_of(std::string_view name) {
  const auto* const row = std::ranges::find_if(kOrdinalRows, [&](const OrdinalRow& known) {
    constexpr std::string_view kPrefix = "TPM_";
    const std::string_view bare =
        known.name.starts_with(kPrefix) ? known.name.substr(kPrefix.size()) : known.name;
    return same_letters(known.name, name) || same_letters(bare, name);
  });
  if (row == kOrdinalRows.end()) return std::nullopt;
  return row->ordinal;
}

}  // namespace tbs::tpm12
