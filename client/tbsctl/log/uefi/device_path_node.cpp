#include "client/tbsctl/log/uefi/device_path_node.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "client/tbsctl/log/uefi/guid.h"
#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/text/hex.h"

namespace tbs::ctl {
namespace {

using proto::ByteReader;
using proto::Bytes;

// More of an unknown node is not shown.
constexpr std::size_t kMostNodeBytes = 16;

using NodeWriter = std::string (*)(ByteReader&);

struct NodeWords {
  std::uint8_t type;
  std::uint8_t sub_type;
  NodeWriter write;
};

std::string in_brackets(std::string_view name, const std::vector<std::string>& values) {
  std::string text(name);
  text += "(";
  for (const std::string& value : values) text += (text.ends_with('(') ? "" : ",") + value;
  return text + ")";
}

std::string decimal(std::uint64_t number) {
  return std::to_string(number);
}

std::string address(Bytes bytes, std::string_view between) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += text.empty() ? "" : std::string(between);
    text += between == "." ? decimal(byte) : to_hex(Bytes(&byte, 1));
  }
  return text;
}

std::string vendor_node(ByteReader& node, std::string_view name) {
  return in_brackets(name, {named_guid(read_guid(node))});
}

// An EISA number: three letters of five bits, and four hexadecimal digits.
std::string acpi_node(ByteReader& node) {
  constexpr std::uint32_t kPci = 0x0A0341D0;
  constexpr std::uint32_t kPciExpress = 0x0A0841D0;
  const std::uint32_t id = node.le32();
  const std::uint32_t unit = node.le32();
  if (id == kPci) return in_brackets("PciRoot", {hex_number(unit)});
  if (id == kPciExpress) return in_brackets("PcieRoot", {hex_number(unit)});
  return in_brackets("Acpi", {hex_number(id), hex_number(unit)});
}

std::string pci_node(ByteReader& node) {
  const unsigned function = node.u8();
  const unsigned device = node.u8();
  return in_brackets("Pci", {hex_number(device), hex_number(function)});
}

std::string memory_node(ByteReader& node) {
  const std::uint32_t type = node.le32();
  const std::uint64_t start = node.le64();
  return in_brackets("MemoryMapped", {decimal(type), hex_number(start), hex_number(node.le64())});
}

std::string scsi_node(ByteReader& node) {
  const unsigned target = node.le16();
  return in_brackets("Scsi", {hex_number(target), hex_number(node.le16())});
}

std::string usb_node(ByteReader& node) {
  const unsigned port = node.u8();
  return in_brackets("USB", {hex_number(port), hex_number(node.u8())});
}

std::string sata_node(ByteReader& node) {
  const unsigned port = node.le16();
  const unsigned multiplier = node.le16();
  return in_brackets("Sata", {hex_number(port), hex_number(multiplier), hex_number(node.le16())});
}

std::string mac_node(ByteReader& node) {
  const Bytes mac = node.take(32);
  if (!node.ok()) return {};
  return in_brackets("MAC", {to_hex(mac.first(6)), hex_number(node.u8())});
}

std::string ipv4_node(ByteReader& node) {
  node.skip(4);
  return in_brackets("IPv4", {address(node.take(4), ".")});
}

std::string ipv6_node(ByteReader& node) {
  node.skip(16);
  return in_brackets("IPv6", {address(node.take(16), ":")});
}

std::string nvme_node(ByteReader& node) {
  const std::uint32_t name_space = node.le32();
  return in_brackets("NVMe", {hex_number(name_space), address(node.take(8), "-")});
}

std::string uri_node(ByteReader& node) {
  const Bytes uri = node.rest();
  return in_brackets("Uri", {log_text(std::string(uri.begin(), uri.end()))});
}

std::string hard_drive_node(ByteReader& node) {
  const std::uint32_t part = node.le32();
  const std::uint64_t start = node.le64();
  const std::uint64_t size = node.le64();
  const Bytes signature = node.take(16);
  node.skip(1);
  const unsigned kind = node.u8();
  if (!node.ok()) return {};
  ByteReader of_signature(signature);
  std::vector<std::string> values{decimal(part)};
  if (kind == 2) {
    values.insert(values.end(), {"GPT", read_guid(of_signature)});
  } else if (kind == 1) {
    values.insert(values.end(), {"MBR", hex_number(of_signature.le32())});
  } else {
    values.emplace_back("0");
  }
  values.insert(values.end(), {hex_number(start), hex_number(size)});
  return in_brackets("HD", values);
}

std::string cd_node(ByteReader& node) {
  return in_brackets("CDROM", {hex_number(node.le32())});
}

std::string file_node(ByteReader& node) {
  return utf16(node.rest());
}

std::string offset_node(ByteReader& node) {
  node.skip(4);
  const std::uint64_t start = node.le64();
  return in_brackets("Offset", {hex_number(start), hex_number(node.le64())});
}

std::string ram_disk_node(ByteReader& node) {
  const std::uint64_t start = node.le64();
  const std::uint64_t end = node.le64();
  return in_brackets("RamDisk", {hex_number(start), hex_number(end)});
}

std::string bios_boot_node(ByteReader& node) {
  const unsigned type = node.le16();
  node.skip(2);
  const Bytes name = node.rest();
  return in_brackets("BBS",
                     {hex_number(type), log_text(plain_text(name).value_or(bytes_text(name)))});
}

std::string one_number(ByteReader& node, std::string_view name) {
  return in_brackets(name, {hex_number(node.u8())});
}

// By the type and sub-type of the node.
constexpr std::array kNodeWords = {
    NodeWords{1, 1, pci_node},
    NodeWords{1, 3, memory_node},
    NodeWords{1, 4, [](ByteReader& node) { return vendor_node(node, "VenHw"); }},
    NodeWords{1, 5,
              [](ByteReader& node) { return in_brackets("Ctrl", {hex_number(node.le32())}); }},
    NodeWords{2, 1, acpi_node},
    NodeWords{3, 2, scsi_node},
    NodeWords{3, 5, usb_node},
    NodeWords{3, 10, [](ByteReader& node) { return vendor_node(node, "VenMsg"); }},
    NodeWords{3, 11, mac_node},
    NodeWords{3, 12, ipv4_node},
    NodeWords{3, 13, ipv6_node},
    NodeWords{3, 17, [](ByteReader& node) { return one_number(node, "Unit"); }},
    NodeWords{3, 18, sata_node},
    NodeWords{3, 23, nvme_node},
    NodeWords{3, 24, uri_node},
    NodeWords{3, 25, [](ByteReader& node) { return one_number(node, "UFS"); }},
    NodeWords{3, 26, [](ByteReader& node) { return one_number(node, "SD"); }},
    NodeWords{3, 29, [](ByteReader& node) { return one_number(node, "eMMC"); }},
    NodeWords{kMediaNode, kHardDriveNode, hard_drive_node},
    NodeWords{kMediaNode, 2, cd_node},
    NodeWords{kMediaNode, 3, [](ByteReader& node) { return vendor_node(node, "VenMedia"); }},
    NodeWords{kMediaNode, kFileNode, file_node},
    NodeWords{kMediaNode, 6, [](ByteReader& node) { return vendor_node(node, "FvFile"); }},
    NodeWords{kMediaNode, 7, [](ByteReader& node) { return vendor_node(node, "Fv"); }},
    NodeWords{kMediaNode, 8, offset_node},
    NodeWords{kMediaNode, 9, ram_disk_node},
    NodeWords{5, 1, bios_boot_node},
};

std::string unknown_node(const DevicePathNode& node) {
  return in_brackets("Path", {decimal(node.type), decimal(node.sub_type),
                              to_hex(node.data.first(std::min(node.data.size(), kMostNodeBytes)))});
}

}  // namespace

std::string node_text(const DevicePathNode& node) {
  const auto* const found = std::ranges::find_if(kNodeWords, [&](const NodeWords& words) {
    return words.type == node.type && words.sub_type == node.sub_type;
  });
  if (found == kNodeWords.end()) return unknown_node(node);
  ByteReader reader(node.data);
  const std::string text = found->write(reader);
  return reader.ok() ? text : unknown_node(node);
}

}  // namespace tbs::ctl
