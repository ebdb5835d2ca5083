#include "proto/tpm12/ordinal_table.h"

#include <algorithm>
#include <array>

namespace tbs::tpm12 {
namespace {

using Row = OrdinalInfo;

constexpr Row plain(std::uint32_t ordinal, std::uint8_t max_auths = 0) {
  return {.ordinal = ordinal, .max_auths = max_auths, .creates = {}};
}
constexpr Row on_key(std::uint32_t ordinal, std::uint8_t max_auths = 1) {
  return {.ordinal = ordinal, .keys = 1, .max_auths = max_auths, .creates = {}};
}
constexpr Row on_two_keys(std::uint32_t ordinal) {
  return {.ordinal = ordinal, .keys = 2, .max_auths = 2, .creates = {}};
}
constexpr Row makes(Kind kind, std::uint32_t ordinal, std::uint8_t keys = 0,
                    std::uint8_t max_auths = 0) {
  return {.ordinal = ordinal, .keys = keys, .max_auths = max_auths, .creates = kind};
}
constexpr Row clears(std::uint32_t ordinal, std::uint8_t max_auths) {
  return {.ordinal = ordinal, .max_auths = max_auths, .creates = {}, .extensive = true};
}

// Ascending by ordinal. Commands whose handle is not that of a key, or stands elsewhere
// (TPM_OSAP, TPM_DSAP, TPM_DAA_*, TPM_SaveContext, TPM_LoadContext, TPM_FlushSpecific,
// TPM_Terminate_Handle, TPM_SaveAuthContext, TPM_ExecuteTransport), count as having none here.
// So does TPM_OwnerReadInternalPub, whose handle is a reserved one and part of its HMAC.
constexpr std::array kTable = {
    makes(Kind::Auth, ord::kOiap),
    makes(Kind::Auth, ord::kOsap),
    on_key(ord::kChangeAuth, 2),
    clears(ord::kTakeOwnership, 1),
    on_key(ord::kChangeAuthAsymStart),
    on_key(ord::kChangeAuthAsymFinish),
    clears(ord::kChangeAuthOwner, 1),
    makes(Kind::Auth, ord::kDsap),
    plain(ord::kCmkCreateTicket, 1),
    on_key(ord::kCmkCreateKey),
    plain(ord::kExtend),
    plain(ord::kPcrRead),
    on_key(ord::kQuote),
    on_key(ord::kSeal),
    on_key(ord::kUnseal, 2),
    plain(ord::kDirWriteAuth, 1),
    plain(ord::kDirRead),
    on_key(ord::kCmkCreateBlob),
    plain(ord::kCmkSetRestrictions, 1),
    plain(ord::kCmkApproveMa, 1),
    on_key(ord::kUnBind),
    on_key(ord::kCreateWrapKey),
    makes(Kind::Key, ord::kLoadKey, 1, 1),
    on_key(ord::kGetPubKey),
    on_key(ord::kEvictKey, 0),
    on_key(ord::kKeyControlOwner),
    on_key(ord::kCmkConvertMigration),
    on_key(ord::kMigrateKey),
    on_key(ord::kCreateMigrationBlob, 2),
    plain(ord::kDaaJoin, 1),
    on_key(ord::kConvertMigrationBlob),
    plain(ord::kAuthorizeMigrationKey, 1),
    plain(ord::kCreateMaintenanceArchive, 1),
    clears(ord::kLoadMaintenanceArchive, 1),
    plain(ord::kKillMaintenanceFeature, 1),
    plain(ord::kLoadManuMaintPub),
    plain(ord::kReadManuMaintPub),
    plain(ord::kDaaSign, 1),
    on_two_keys(ord::kCertifyKey),
    on_two_keys(ord::kCertifyKey2),
    on_key(ord::kSign),
    on_key(ord::kSealx),
    on_key(ord::kQuote2),
    plain(ord::kSetCapability, 1),
    plain(ord::kResetLockValue, 1),
    makes(Kind::Key, ord::kLoadKey2, 1, 1),
    plain(ord::kGetRandom),
    plain(ord::kStirRandom),
    plain(ord::kSelfTestFull),
    on_key(ord::kCertifySelfTest),
    plain(ord::kContinueSelfTest),
    plain(ord::kGetTestResult),
    plain(ord::kReset),
    clears(ord::kOwnerClear, 1),
    plain(ord::kDisableOwnerClear, 1),
    clears(ord::kForceClear, 0),
    plain(ord::kDisableForceClear),
    on_key(ord::kGetCapabilitySigned),
    plain(ord::kGetCapability),
    plain(ord::kGetCapabilityOwner, 1),
    plain(ord::kOwnerSetDisable, 1),
    plain(ord::kPhysicalEnable),
    plain(ord::kPhysicalDisable),
    plain(ord::kSetOwnerInstall),
    plain(ord::kPhysicalSetDeactivated),
    plain(ord::kSetTempDeactivated, 1),
    plain(ord::kSetOperatorAuth),
    plain(ord::kSetOwnerPointer),
    plain(ord::kCreateEndorsementKeyPair),
    plain(ord::kMakeIdentity, 2),
    on_key(ord::kActivateIdentity, 2),
    plain(ord::kReadPubek),
    plain(ord::kOwnerReadPubek, 1),
    plain(ord::kDisablePubekRead, 1),
    plain(ord::kCreateRevocableEk),
    clears(ord::kRevokeTrust, 0),
    plain(ord::kOwnerReadInternalPub, 1),
    plain(ord::kGetAuditEvent),
    on_key(ord::kGetAuditEventSigned),
    plain(ord::kGetAuditDigest),
    on_key(ord::kGetAuditDigestSigned),
    plain(ord::kGetOrdinalAuditStatus),
    plain(ord::kSetOrdinalAuditStatus, 1),
    plain(ord::kTerminateHandle),
    plain(ord::kInit),
    plain(ord::kSaveState),
    clears(ord::kStartup, 0),
    on_key(ord::kSetRedirection),
    plain(ord::kSha1Start),
    plain(ord::kSha1Update),
    plain(ord::kSha1Complete),
    plain(ord::kSha1CompleteExtend),
    clears(ord::kFieldUpgrade, 2),
    on_key(ord::kSaveKeyContext, 0),
    makes(Kind::Key, ord::kLoadKeyContext),
    plain(ord::kSaveAuthContext),
    makes(Kind::Auth, ord::kLoadAuthContext),
    plain(ord::kSaveContext),
    plain(ord::kLoadContext),
    plain(ord::kFlushSpecific),
    plain(ord::kPcrReset),
    plain(ord::kNvDefineSpace, 1),
    plain(ord::kNvWriteValue, 1),
    plain(ord::kNvWriteValueAuth, 1),
    plain(ord::kNvReadValue, 1),
    plain(ord::kNvReadValueAuth, 1),
    plain(ord::kDelegateUpdateVerification, 1),
    clears(ord::kDelegateManage, 1),
    on_key(ord::kDelegateCreateKeyDelegation),
    plain(ord::kDelegateCreateOwnerDelegation, 1),
    plain(ord::kDelegateVerifyDelegation),
    clears(ord::kDelegateLoadOwnerDelegation, 1),
    plain(ord::kDelegateReadTable),
    plain(ord::kCreateCounter, 1),
    plain(ord::kIncrementCounter, 1),
    plain(ord::kReadCounter),
    clears(ord::kReleaseCounter, 1),
    clears(ord::kReleaseCounterOwner, 1),
    makes(Kind::Transport, ord::kEstablishTransport, 1, 1),
    Row{.ordinal = ord::kExecuteTransport, .max_auths = 1, .transport = true, .creates = {}},
    Row{.ordinal = ord::kReleaseTransportSigned,
        .keys = 1,
        .max_auths = 2,
        .transport = true,
        .creates = {}},
    plain(ord::kGetTicks),
    on_key(ord::kTickStampBlob),
    plain(ord::kTscPhysicalPresence),
    plain(ord::kTscResetEstablishmentBit),
};
static_assert(std::ranges::is_sorted(kTable, {}, &Row::ordinal));

constexpr Row kVendor = clears(0, 2);

}  // namespace

const OrdinalInfo* find_ordinal(std::uint32_t ordinal) {
  const auto row = std::ranges::lower_bound(kTable, ordinal, {}, &Row::ordinal);
  if (row != kTable.end() && row->ordinal == ordinal) return &*row;
  return (ordinal & ord::kVendorBit) != 0 ? &kVendor : nullptr;
}

}  // namespace tbs::tpm12
