#include "daemon/tpm12/ordinal_table.h"

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
    makes(Kind::Auth, 0x0A),             // OIAP
    makes(Kind::Auth, 0x0B),             // OSAP
    on_key(0x0C, 2),                     // ChangeAuth
    clears(0x0D, 1),                     // TakeOwnership
    on_key(0x0E),                        // ChangeAuthAsymStart
    on_key(0x0F),                        // ChangeAuthAsymFinish
    clears(0x10, 1),                     // ChangeAuthOwner
    makes(Kind::Auth, 0x11),             // DSAP
    plain(0x12, 1),                      // CMK_CreateTicket
    on_key(0x13),                        // CMK_CreateKey
    plain(0x14),                         // Extend
    plain(0x15),                         // PcrRead
    on_key(0x16),                        // Quote
    on_key(0x17),                        // Seal
    on_key(0x18, 2),                     // Unseal
    plain(0x19, 1),                      // DirWriteAuth
    plain(0x1A),                         // DirRead
    on_key(0x1B),                        // CMK_CreateBlob
    plain(0x1C, 1),                      // CMK_SetRestrictions
    plain(0x1D, 1),                      // CMK_ApproveMA
    on_key(0x1E),                        // UnBind
    on_key(0x1F),                        // CreateWrapKey
    makes(Kind::Key, 0x20, 1, 1),        // LoadKey
    on_key(0x21),                        // GetPubKey
    on_key(0x22, 0),                     // EvictKey
    on_key(0x23),                        // KeyControlOwner
    on_key(0x24),                        // CMK_ConvertMigration
    on_key(0x25),                        // MigrateKey
    on_key(0x28, 2),                     // CreateMigrationBlob
    plain(0x29, 1),                      // DAA_Join
    on_key(0x2A),                        // ConvertMigrationBlob
    plain(0x2B, 1),                      // AuthorizeMigrationKey
    plain(0x2C, 1),                      // CreateMaintenanceArchive
    clears(0x2D, 1),                     // LoadMaintenanceArchive
    plain(0x2E, 1),                      // KillMaintenanceFeature
    plain(0x2F),                         // LoadManuMaintPub
    plain(0x30),                         // ReadManuMaintPub
    plain(0x31, 1),                      // DAA_Sign
    on_two_keys(0x32),                   // CertifyKey
    on_two_keys(0x33),                   // CertifyKey2
    on_key(0x3C),                        // Sign
    on_key(0x3D),                        // Sealx
    on_key(0x3E),                        // Quote2
    plain(0x3F, 1),                      // SetCapability
    plain(0x40, 1),                      // ResetLockValue
    makes(Kind::Key, 0x41, 1, 1),        // LoadKey2
    plain(0x46),                         // GetRandom
    plain(0x47),                         // StirRandom
    plain(0x50),                         // SelfTestFull
    on_key(0x52),                        // CertifySelfTest
    plain(0x53),                         // ContinueSelfTest
    plain(0x54),                         // GetTestResult
    plain(0x5A),                         // Reset
    clears(0x5B, 1),                     // OwnerClear
    plain(0x5C, 1),                      // DisableOwnerClear
    clears(0x5D, 0),                     // ForceClear
    plain(0x5E),                         // DisableForceClear
    on_key(0x64),                        // GetCapabilitySigned
    plain(0x65),                         // GetCapability
    plain(0x66, 1),                      // GetCapabilityOwner
    plain(0x6E, 1),                      // OwnerSetDisable
    plain(0x6F),                         // PhysicalEnable
    plain(0x70),                         // PhysicalDisable
    plain(0x71),                         // SetOwnerInstall
    plain(0x72),                         // PhysicalSetDeactivated
    plain(0x73, 1),                      // SetTempDeactivated
    plain(0x74),                         // SetOperatorAuth
    plain(0x75),                         // SetOwnerPointer
    plain(0x78),                         // CreateEndorsementKeyPair
    plain(0x79, 2),                      // MakeIdentity
    on_key(0x7A, 2),                     // ActivateIdentity
    plain(0x7C),                         // ReadPubek
    plain(0x7D, 1),                      // OwnerReadPubek
    plain(0x7E, 1),                      // DisablePubekRead
    plain(0x7F),                         // CreateRevocableEK
    clears(0x80, 0),                     // RevokeTrust
    plain(0x81, 1),                      // OwnerReadInternalPub
    plain(0x82),                         // GetAuditEvent
    on_key(0x83),                        // GetAuditEventSigned
    plain(0x85),                         // GetAuditDigest
    on_key(0x86),                        // GetAuditDigestSigned
    plain(0x8C),                         // GetOrdinalAuditStatus
    plain(0x8D, 1),                      // SetOrdinalAuditStatus
    plain(0x96),                         // Terminate_Handle
    plain(0x97),                         // Init
    plain(0x98),                         // SaveState
    clears(0x99, 0),                     // Startup
    on_key(0x9A),                        // SetRedirection
    plain(0xA0),                         // SHA1Start
    plain(0xA1),                         // SHA1Update
    plain(0xA2),                         // SHA1Complete
    plain(0xA3),                         // SHA1CompleteExtend
    clears(0xAA, 2),                     // FieldUpgrade
    on_key(0xB4, 0),                     // SaveKeyContext
    makes(Kind::Key, 0xB5),              // LoadKeyContext
    plain(0xB6),                         // SaveAuthContext
    makes(Kind::Auth, 0xB7),             // LoadAuthContext
    plain(0xB8),                         // SaveContext
    plain(0xB9),                         // LoadContext
    plain(0xBA),                         // FlushSpecific
    plain(0xC8),                         // PCR_Reset
    plain(0xCC, 1),                      // NV_DefineSpace
    plain(0xCD, 1),                      // NV_WriteValue
    plain(0xCE, 1),                      // NV_WriteValueAuth
    plain(0xCF, 1),                      // NV_ReadValue
    plain(0xD0, 1),                      // NV_ReadValueAuth
    plain(0xD1, 1),                      // Delegate_UpdateVerification
    clears(0xD2, 1),                     // Delegate_Manage
    on_key(0xD4),                        // Delegate_CreateKeyDelegation
    plain(0xD5, 1),                      // Delegate_CreateOwnerDelegation
    plain(0xD6),                         // Delegate_VerifyDelegation
    clears(0xD8, 1),                     // Delegate_LoadOwnerDelegation
    plain(0xDB),                         // Delegate_ReadTable
    plain(0xDC, 1),                      // CreateCounter
    plain(0xDD, 1),                      // IncrementCounter
    plain(0xDE),                         // ReadCounter
    clears(0xDF, 1),                     // ReleaseCounter
    clears(0xE0, 1),                     // ReleaseCounterOwner
    makes(Kind::Transport, 0xE6, 1, 1),  // EstablishTransport
    Row{.ordinal = 0xE7, .max_auths = 1, .transport = true, .creates = {}},  // ExecuteTransport
    // ReleaseTransportSigned
    Row{.ordinal = 0xE8, .keys = 1, .max_auths = 2, .transport = true, .creates = {}},
    plain(0xF1),        // GetTicks
    on_key(0xF2),       // TickStampBlob
    plain(0x4000000A),  // TSC_PhysicalPresence
    plain(0x4000000B),  // TSC_ResetEstablishmentBit
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
