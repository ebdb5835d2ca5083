#include "proto/command_names.h"

#include <algorithm>
#include <array>

namespace tbs::proto {
namespace {

struct Row {
  std::uint32_t code;
  std::string_view name;
};

constexpr std::array kRows = {
    Row{0x11F, "NV_UndefineSpaceSpecial"},
    Row{0x120, "EvictControl"},
    Row{0x121, "HierarchyControl"},
    Row{0x122, "NV_UndefineSpace"},
    Row{0x124, "ChangeEPS"},
    Row{0x125, "ChangePPS"},
    Row{0x126, "Clear"},
    Row{0x127, "ClearControl"},
    Row{0x128, "ClockSet"},
    Row{0x129, "HierarchyChangeAuth"},
    Row{0x12A, "NV_DefineSpace"},
    Row{0x12B, "PCR_Allocate"},
    Row{0x12C, "PCR_SetAuthPolicy"},
    Row{0x12D, "PP_Commands"},
    Row{0x12E, "SetPrimaryPolicy"},
    Row{0x12F, "FieldUpgradeStart"},
    Row{0x130, "ClockRateAdjust"},
    Row{0x131, "CreatePrimary"},
    Row{0x132, "NV_GlobalWriteLock"},
    Row{0x133, "GetCommandAuditDigest"},
    Row{0x134, "NV_Increment"},
    Row{0x135, "NV_SetBits"},
    Row{0x136, "NV_Extend"},
    Row{0x137, "NV_Write"},
    Row{0x138, "NV_WriteLock"},
    Row{0x139, "DictionaryAttackLockReset"},
    Row{0x13A, "DictionaryAttackParameters"},
    Row{0x13B, "NV_ChangeAuth"},
    Row{0x13C, "PCR_Event"},
    Row{0x13D, "PCR_Reset"},
    Row{0x13E, "SequenceComplete"},
    Row{0x13F, "SetAlgorithmSet"},
    Row{0x140, "SetCommandCodeAuditStatus"},
    Row{0x141, "FieldUpgradeData"},
    Row{0x142, "IncrementalSelfTest"},
    Row{0x143, "SelfTest"},
    Row{0x144, "Startup"},
    Row{0x145, "Shutdown"},
    Row{0x146, "StirRandom"},
    Row{0x147, "ActivateCredential"},
    Row{0x148, "Certify"},
    Row{0x149, "PolicyNV"},
    Row{0x14A, "CertifyCreation"},
    Row{0x14B, "Duplicate"},
    Row{0x14C, "GetTime"},
    Row{0x14D, "GetSessionAuditDigest"},
    Row{0x14E, "NV_Read"},
    Row{0x14F, "NV_ReadLock"},
    Row{0x150, "ObjectChangeAuth"},
    Row{0x151, "PolicySecret"},
    Row{0x152, "Rewrap"},
    Row{0x153, "Create"},
    Row{0x154, "ECDH_ZGen"},
    Row{0x155, "HMAC"},
    Row{0x156, "Import"},
    Row{0x157, "Load"},
    Row{0x158, "Quote"},
    Row{0x159, "RSA_Decrypt"},
    Row{0x15B, "HMAC_Start"},
    Row{0x15C, "SequenceUpdate"},
    Row{0x15D, "Sign"},
    Row{0x15E, "Unseal"},
    Row{0x160, "PolicySigned"},
    Row{0x161, "ContextLoad"},
    Row{0x162, "ContextSave"},
    Row{0x163, "ECDH_KeyGen"},
    Row{0x164, "EncryptDecrypt"},
    Row{0x165, "FlushContext"},
    Row{0x167, "LoadExternal"},
    Row{0x168, "MakeCredential"},
    Row{0x169, "NV_ReadPublic"},
    Row{0x16A, "PolicyAuthorize"},
    Row{0x16B, "PolicyAuthValue"},
    Row{0x16C, "PolicyCommandCode"},
    Row{0x16D, "PolicyCounterTimer"},
    Row{0x16E, "PolicyCpHash"},
    Row{0x16F, "PolicyLocality"},
    Row{0x170, "PolicyNameHash"},
    Row{0x171, "PolicyOR"},
    Row{0x172, "PolicyTicket"},
    Row{0x173, "ReadPublic"},
    Row{0x174, "RSA_Encrypt"},
    Row{0x176, "StartAuthSession"},
    Row{0x177, "VerifySignature"},
    Row{0x178, "ECC_Parameters"},
    Row{0x179, "FirmwareRead"},
    Row{0x17A, "GetCapability"},
    Row{0x17B, "GetRandom"},
    Row{0x17C, "GetTestResult"},
    Row{0x17D, "Hash"},
    Row{0x17E, "PCR_Read"},
    Row{0x17F, "PolicyPCR"},
    Row{0x180, "PolicyRestart"},
    Row{0x181, "ReadClock"},
    Row{0x182, "PCR_Extend"},
    Row{0x183, "PCR_SetAuthValue"},
    Row{0x184, "NV_Certify"},
    Row{0x185, "EventSequenceComplete"},
    Row{0x186, "HashSequenceStart"},
    Row{0x187, "PolicyPhysicalPresence"},
    Row{0x188, "PolicyDuplicationSelect"},
    Row{0x189, "PolicyGetDigest"},
    Row{0x18A, "TestParms"},
    Row{0x18B, "Commit"},
    Row{0x18C, "PolicyPassword"},
    Row{0x18D, "ZGen_2Phase"},
    Row{0x18E, "EC_Ephemeral"},
    Row{0x18F, "PolicyNvWritten"},
    Row{0x190, "PolicyTemplate"},
    Row{0x191, "CreateLoaded"},
    Row{0x192, "PolicyAuthorizeNV"},
    Row{0x193, "EncryptDecrypt2"},
    Row{0x194, "AC_GetCapability"},
    Row{0x195, "AC_Send"},
    Row{0x196, "Policy_AC_SendSelect"},
    Row{0x197, "CertifyX509"},
    Row{0x198, "ACT_SetTimeout"},
    Row{0x199, "ECC_Encrypt"},
    Row{0x19A, "ECC_Decrypt"},
    Row{0x19B, "PolicyCapability"},
    Row{0x19C, "PolicyParameters"},
    Row{0x19D, "NV_DefineSpace2"},
    Row{0x19E, "NV_ReadPublic2"},
    Row{0x19F, "SetCapability"},
    Row{0x1A0, "ReadOnlyControl"},
    Row{0x1A1, "PolicyTransportSPDM"},
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
