#include "client/tbsctl/log/uefi/guid.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "client/tbsctl/text/hex.h"

namespace tbs::ctl {
namespace {

struct GuidName {
  std::string_view guid;
  std::string_view name;
};

constexpr std::array kGuidNames = {
    // Namespaces of variables, and who owns signatures.
    GuidName{"8be4df61-93ca-11d2-aa0d-00e098032b8c", "UEFI"},
    GuidName{"d719b2cb-3d3a-4596-a3bc-dad00e67656f", "UEFI image security"},
    GuidName{"605dab50-e046-4300-abb6-3dd810dd8b23", "shim"},
    GuidName{"4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", "systemd-boot"},
    GuidName{"77fa9abd-0359-4d32-bd60-28f4e78f784b", "Microsoft"},
    GuidName{"a0baa8a3-041d-48a8-bc87-c36d121b5e3d", "OVMF"},
    GuidName{"d5c1df0b-1bac-4edf-ba48-08834009ca5a", "OVMF"},
    GuidName{"6dc40ae4-2ee8-9c4c-a314-0fc7b2008710", "Canonical"},
    GuidName{"ade9e48f-9cb8-98e6-31af-b4e6009e2fe3", "Red Hat"},
    GuidName{"2879c886-57ee-45cc-b126-f92f24f906b9", "SUSE"},
    GuidName{"70564dce-9afc-4ee3-85fc-949649d7e45c", "Dell"},
    GuidName{"f5a96b31-dba0-4faa-a42a-7a0c9832768e", "HPE"},
    GuidName{"3cc24e96-22c7-41d8-8863-8e39dcdcc2cf", "Lenovo"},
    GuidName{"7facc7b6-127f-4e9c-9c5d-080f98994345", "Lenovo"},
    GuidName{"bfcc0833-2125-42d1-8c6d-13821e23c078", "Intel"},
    GuidName{"80b3ad5b-9880-4af9-a645-e56a68be89de", "Intel"},
    // Kinds of signatures.
    GuidName{"a5c059a1-94e4-4aa7-87b5-ab155c2bf072", "certificate"},
    GuidName{"826ca512-cf10-4ac9-b187-be01496631bd", "SHA-1 hash"},
    GuidName{"0b6e5233-a65c-44c9-9407-d9ab83bfc8bd", "SHA-224 hash"},
    GuidName{"c1c41626-504c-4092-aca9-41f936934328", "SHA-256 hash"},
    GuidName{"ff3e5307-9fd0-48c9-85f1-8ad56c701e01", "SHA-384 hash"},
    GuidName{"093e0fae-a6c4-4f50-9f1b-d41e2b89c19a", "SHA-512 hash"},
    GuidName{"3c5766e8-269c-4e34-aa14-ed776e85b3b6", "RSA-2048 key"},
    GuidName{"67f8444f-8743-48f1-a328-1eaab8736080", "RSA-2048 signature with SHA-1 hash"},
    GuidName{"e2b36190-879b-4a3d-ad8d-f2e7bba32784", "RSA-2048 signature with SHA-256 hash"},
    GuidName{"3bd2a492-96c0-4079-b420-fcf98ef103ed", "revoked certificate by SHA-256 hash"},
    GuidName{"7076876e-80c2-4ee6-aad2-28b349a6865b", "revoked certificate by SHA-384 hash"},
    GuidName{"446dbf63-2502-4cda-bcfa-2465d2b0fe9d", "revoked certificate by SHA-512 hash"},
    GuidName{"4aafd29d-68df-49ee-8aa9-347d375665a7", "PKCS #7 signature"},
    // Types of partitions.
    GuidName{"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI system"},
    GuidName{"bc13c2ff-59e6-4262-a352-b275fd6f7172", "boot loader"},
    GuidName{"21686148-6449-6e6f-744e-656564454649", "BIOS boot"},
    GuidName{"0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux file system"},
    GuidName{"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "Linux root (x86-64)"},
    GuidName{"b921b045-1df0-41c3-af44-4c6f280d3fae", "Linux root (ARM64)"},
    GuidName{"2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", "Linux root verity (x86-64)"},
    GuidName{"933ac7e1-2eb4-4f13-b844-0e14e2aef915", "Linux home"},
    GuidName{"4d21b016-b534-45c2-a9fb-5c16e091fd2d", "Linux var"},
    GuidName{"3b8f8425-20e0-4f3b-907f-1a25a76f98e8", "Linux srv"},
    GuidName{"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "Linux swap"},
    GuidName{"e6d6d379-f507-44c2-a23c-238f2a3df928", "Linux LVM"},
    GuidName{"a19d880f-05fc-4d3b-a006-743f0f84911e", "Linux RAID"},
    GuidName{"ca7d7ccb-63ed-4c53-861c-1742536059cc", "Linux LUKS"},
    GuidName{"e3c9e316-0b5c-4db8-817d-f92df00215ae", "Microsoft reserved"},
    GuidName{"ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "Microsoft basic data"},
    GuidName{"de94bba4-06d1-4d40-a16a-bfd50179d6ac", "Windows recovery"},
    // Tables that firmware hands over.
    GuidName{"8868e871-e4f1-11d3-bc22-0080c73c8881", "ACPI 2.0"},
    GuidName{"eb9d2d30-2d88-11d3-9a16-0090273fc14d", "ACPI 1.0"},
    GuidName{"eb9d2d31-2d88-11d3-9a16-0090273fc14d", "SMBIOS"},
    GuidName{"f2fd1544-9794-4a2c-992e-e5bbcf20e394", "SMBIOS 3"},
    GuidName{"eb9d2d32-2d88-11d3-9a16-0090273fc14d", "SAL"},
    GuidName{"eb9d2d2f-2d88-11d3-9a16-0090273fc14d", "MPS"},
};

}  // namespace

std::string read_guid(proto::ByteReader& reader) {
  const std::uint32_t first = reader.le32();
  const unsigned second = reader.le16();
  const unsigned third = reader.le16();
  const proto::Bytes rest = reader.take(8);
  if (!reader.ok()) return "?";
  std::array<char, 20> head{};
  std::snprintf(head.data(), head.size(), "%08x-%04x-%04x", first, second, third);
  return std::string(head.data()) + "-" + to_hex(rest.first(2)) + "-" + to_hex(rest.subspan(2));
}

std::string_view guid_name(std::string_view guid) {
  const auto* const found = std::ranges::find(kGuidNames, guid, &GuidName::guid);
  return found == kGuidNames.end() ? std::string_view{} : found->name;
}

std::string named_guid(const std::string& guid) {
  const std::string_view name = guid_name(guid);
  return name.empty() ? guid : std::string(name);
}

}  // namespace tbs::ctl
