#include "client/tbsctl/log/event_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/hex.h"

namespace tbs::ctl {
namespace {

using proto::ByteReader;
using proto::Bytes;

struct LogEventName {
  std::uint32_t type;
  std::string_view name;
};

constexpr std::array kLogEventNames = {
    LogEventName{0x00, "EV_PREBOOT_CERT"},
    LogEventName{0x01, "EV_POST_CODE"},
    LogEventName{0x02, "EV_UNUSED"},
    LogEventName{kEvNoAction, "EV_NO_ACTION"},
    LogEventName{0x04, "EV_SEPARATOR"},
    LogEventName{0x05, "EV_ACTION"},
    LogEventName{0x06, "EV_EVENT_TAG"},
    LogEventName{0x07, "EV_S_CRTM_CONTENTS"},
    LogEventName{0x08, "EV_S_CRTM_VERSION"},
    LogEventName{0x09, "EV_CPU_MICROCODE"},
    LogEventName{0x0A, "EV_PLATFORM_CONFIG_FLAGS"},
    LogEventName{0x0B, "EV_TABLE_OF_DEVICES"},
    LogEventName{0x0C, "EV_COMPACT_HASH"},
    LogEventName{0x0D, "EV_IPL"},
    LogEventName{0x0E, "EV_IPL_PARTITION_DATA"},
    LogEventName{0x0F, "EV_NONHOST_CODE"},
    LogEventName{0x10, "EV_NONHOST_CONFIG"},
    LogEventName{0x11, "EV_NONHOST_INFO"},
    LogEventName{0x12, "EV_OMIT_BOOT_DEVICE_EVENTS"},
    LogEventName{0x13, "EV_POST_CODE2"},
    LogEventName{0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
    LogEventName{0x80000002, "EV_EFI_VARIABLE_BOOT"},
    LogEventName{0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION"},
    LogEventName{0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER"},
    LogEventName{0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
    LogEventName{0x80000006, "EV_EFI_GPT_EVENT"},
    LogEventName{0x80000007, "EV_EFI_ACTION"},
    LogEventName{0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
    LogEventName{0x80000009, "EV_EFI_HANDOFF_TABLES"},
    LogEventName{0x8000000A, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
    LogEventName{0x8000000B, "EV_EFI_HANDOFF_TABLES2"},
    LogEventName{0x8000000C, "EV_EFI_VARIABLE_BOOT2"},
    LogEventName{0x8000000D, "EV_EFI_GPT_EVENT2"},
    LogEventName{kEvEfiHcrtmEvent, "EV_EFI_HCRTM_EVENT"},
    LogEventName{0x800000E0, "EV_EFI_VARIABLE_AUTHORITY"},
    LogEventName{0x800000E1, "EV_EFI_SPDM_FIRMWARE_BLOB"},
    LogEventName{0x800000E2, "EV_EFI_SPDM_FIRMWARE_CONFIG"},
};

// Longer texts and byte strings are cut.
constexpr std::size_t kMaxText = 160;
constexpr std::size_t kMaxBytes = 32;

std::string shortened(std::string text) {
  if (text.size() <= kMaxText) return text;
  text.resize(kMaxText);
  return text + "...";
}

std::string bytes_text(Bytes data) {
  const std::string text = to_hex(data.first(std::min(data.size(), kMaxBytes)));
  return data.size() > kMaxBytes ? text + "... (" + std::to_string(data.size()) + " bytes)" : text;
}

// UTF-16 as ASCII, up to a zero.
std::string utf16(Bytes data) {
  ByteReader reader(data);
  std::string text;
  while (reader.remaining() >= 2 && text.size() <= kMaxText) {
    const std::uint16_t unit = reader.le16();
    if (unit == 0) break;
    text.push_back(unit < 128 ? static_cast<char>(unit) : '?');
  }
  return shortened(printable(text));
}

// The text that the data is, if it is one: ASCII but for zeros at its end.
std::optional<std::string> plain_text(Bytes data) {
  while (!data.empty() && data.back() == 0) data = data.first(data.size() - 1);
  const bool text = !data.empty() && std::ranges::all_of(data, [](std::uint8_t byte) {
    return (byte >= ' ' && byte < 127) || byte == '\n' || byte == '\t';
  });
  if (!text) return std::nullopt;
  return shortened(printable(std::string(data.begin(), data.end())));
}

std::string guid(ByteReader& reader) {
  const std::uint32_t first = reader.le32();
  const unsigned second = reader.le16();
  const unsigned third = reader.le16();
  const Bytes rest = reader.take(8);
  if (!reader.ok()) return "?";
  std::array<char, 20> head{};
  std::snprintf(head.data(), head.size(), "%08x-%04x-%04x", first, second, third);
  return std::string(head.data()) + "-" + to_hex(rest.first(2)) + "-" + to_hex(rest.subspan(2));
}

// UEFI_VARIABLE_DATA: "SecureBoot (8be4df61-...): 01".
std::string variable_text(Bytes data) {
  ByteReader reader(data);
  const std::string vendor = guid(reader);
  const std::uint64_t units = reader.le64();
  const std::uint64_t size = reader.le64();
  if (!reader.ok() || units > reader.remaining() / 2) return bytes_text(data);
  const std::string name = utf16(reader.take(units * 2));
  const Bytes value = reader.take(std::min<std::uint64_t>(size, reader.remaining()));
  return name + " (" + vendor + "): " + bytes_text(value);
}

// The file in a device path, if it names one (node type 4, sub-type 4).
std::string file_of(Bytes path) {
  ByteReader reader(path);
  std::string file;
  while (reader.remaining() >= 4 && file.size() <= kMaxText) {
    const std::uint8_t type = reader.u8();
    const std::uint8_t sub_type = reader.u8();
    const std::uint16_t length = reader.le16();
    if (length < 4) break;
    const Bytes node = reader.take(length - 4U);
    if (!reader.ok()) break;
    if (type == 4 && sub_type == 4) file += utf16(node);
  }
  return shortened(file);
}

// UEFI_IMAGE_LOAD_EVENT.
std::string image_text(Bytes data) {
  ByteReader reader(data);
  reader.skip(8);  // where it was loaded
  const std::uint64_t size = reader.le64();
  reader.skip(8);
  const std::uint64_t path = reader.le64();
  if (!reader.ok() || path > reader.remaining()) return bytes_text(data);
  const std::string file = file_of(reader.take(path));
  return (file.empty() ? "image" : file) + " (" + std::to_string(size) + " bytes)";
}

// UEFI_PLATFORM_FIRMWARE_BLOB, after the description that the second layout starts with.
std::string blob_text(Bytes data, bool described) {
  ByteReader reader(data);
  std::string description;
  if (described) {
    const Bytes text = reader.take(reader.u8());
    description = plain_text(text).value_or("");
  }
  const std::uint64_t base = reader.le64();
  const std::uint64_t size = reader.le64();
  if (!reader.ok()) return bytes_text(data);
  std::array<char, 64> place{};
  std::snprintf(place.data(), place.size(), "%llu bytes at 0x%llx",
                static_cast<unsigned long long>(size), static_cast<unsigned long long>(base));
  return (description.empty() ? "" : description + ", ") + place.data();
}

// The text that the data is in UTF-16, if it is one; firmware may fill up with zeros.
std::optional<std::string> utf16_text(Bytes data) {
  ByteReader reader(data);
  std::string text;
  while (reader.remaining() >= 2) {
    const std::uint16_t unit = reader.le16();
    if (unit == 0) break;
    if (unit < ' ' || unit > '~') return std::nullopt;
    text.push_back(static_cast<char>(unit));
  }
  const bool filled =
      std::ranges::all_of(reader.rest(), [](std::uint8_t byte) { return byte == 0; });
  if (text.empty() || !filled) return std::nullopt;
  return shortened(text);
}

// The version of the S-CRTM is a text, in UTF-16 as a rule, or a GUID.
std::string version_text(Bytes data) {
  if (const auto text = utf16_text(data)) return *text;
  if (const auto text = plain_text(data)) return *text;
  ByteReader reader(data);
  return data.size() == 16 ? guid(reader) : bytes_text(data);
}

std::string no_action_text(const Event& event) {
  if (const auto locality = startup_locality(event)) {
    return "StartupLocality " + std::to_string(*locality);
  }
  const std::string head(event.data.begin(),
                         event.data.begin() + std::min<std::ptrdiff_t>(16, std::ssize(event.data)));
  if (head.starts_with("Spec ID Event")) return printable(head.substr(0, 15));
  if (const auto plain = plain_text(event.data)) return *plain;
  const std::string_view signature = signature_of(event);
  return signature.empty() ? bytes_text(event.data) : std::string(signature);
}

}  // namespace

std::string event_name(std::uint32_t type) {
  const auto* const found = std::ranges::find(kLogEventNames, type, &LogEventName::type);
  return found != kLogEventNames.end() ? std::string(found->name) : "EV_" + hex32(type);
}

std::string event_text(const Event& event) {
  switch (event.type) {
    case kEvNoAction:
      return no_action_text(event);
    case 0x80000001:
    case 0x80000002:
    case 0x8000000C:
    case 0x800000E0:
      return variable_text(event.data);
    case 0x80000003:
    case 0x80000004:
    case 0x80000005:
      return image_text(event.data);
    case 0x08:
      return version_text(event.data);
    case 0x80000008:
      return blob_text(event.data, false);
    case 0x8000000A:
      return blob_text(event.data, true);
    case 0x04:
      return bytes_text(event.data);
    default:
      break;
  }
  return plain_text(event.data).value_or(bytes_text(event.data));
}

}  // namespace tbs::ctl
