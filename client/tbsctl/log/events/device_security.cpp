#include "client/tbsctl/log/events/device_security.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "client/tbsctl/log/uefi/device_path.h"
#include "client/tbsctl/log/words/log_text.h"

namespace tbs::ctl {
namespace {

using proto::ByteReader;
using proto::Bytes;

constexpr std::string_view kFirstSignature{"SPDM Device Sec\0", 16};
constexpr std::string_view kSecondSignature = "SPDM Device Sec2";
constexpr std::uint32_t kPciDevice = 1;
constexpr std::uint32_t kUsbDevice = 2;

struct DeviceReport {
  std::uint32_t device_type = 0;
  std::string authentication;  // the first layout does not tell
  std::string what;
  Bytes path;
  Bytes context;
};

bool starts_with(Bytes bytes, std::string_view signature) {
  return bytes.size() >= signature.size() &&
         std::ranges::equal(bytes.first(signature.size()), signature, [](std::uint8_t a, char b) {
           return a == static_cast<unsigned char>(b);
         });
}

// Names of AuthState.
std::string authentication_text(std::uint8_t state) {
  constexpr std::uint8_t kNoSpdm = 0xFF;
  constexpr std::array<std::string_view, 5> kAuthStates = {
      "authenticated", "authenticated by an unknown authority", "authenticated without binding",
      "not authenticated", "authentication failed"};
  if (state == kNoSpdm) return "no SPDM device";
  return state < kAuthStates.size() ? std::string(kAuthStates[state])
                                    : "authentication " + hex_number(state);
}

// SPDM_MEASUREMENT_BLOCK. Moves on behind it.
std::string measurement_text(ByteReader& reader) {
  const unsigned index = reader.u8();
  reader.skip(1);  // the specification of what follows
  const std::uint16_t size = reader.le16();
  reader.skip(size);
  return "measurement " + std::to_string(index);
}

std::optional<DeviceReport> read_first(ByteReader reader) {
  reader.skip(kFirstSignature.size() + 2 + 2 + 4);  // version, length, hash algorithm
  DeviceReport report{.device_type = reader.le32()};
  report.what = measurement_text(reader);
  report.path = reader.take(reader.le64());
  report.context = reader.rest();
  return reader.ok() ? std::optional(report) : std::nullopt;
}

std::string sub_header_text(std::uint32_t type, Bytes bytes) {
  ByteReader reader(bytes);
  reader.skip(2);  // version of SPDM
  const unsigned number = reader.u8();
  reader.skip(1 + 4);
  if (type == 1) return "certificate chain of slot " + std::to_string(number);
  if (type != 0) return "sub-header " + std::to_string(type);
  return number == 1 ? measurement_text(reader) : counted(number, "measurement");
}

std::optional<DeviceReport> read_second(ByteReader reader) {
  reader.skip(kSecondSignature.size() + 2);
  DeviceReport report{.authentication = authentication_text(reader.u8())};
  reader.skip(1 + 4);  // length of all that follows
  report.device_type = reader.le32();
  const std::uint32_t type = reader.le32();
  const std::uint32_t size = reader.le32();
  reader.skip(8);
  report.path = reader.take(reader.le64());
  report.what = sub_header_text(type, reader.take(size));
  report.context = reader.rest();
  return reader.ok() ? std::optional(report) : std::nullopt;
}

std::string device_text(const DeviceReport& report) {
  ByteReader context(report.context);
  context.skip(4);  // version, length
  if (report.device_type == kPciDevice) {
    const unsigned vendor = context.le16();
    const unsigned device = context.le16();
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "PCI device %04x:%04x", vendor, device);
    return context.ok() ? text.data() : "PCI device";
  }
  return report.device_type == kUsbDevice ? "USB device" : "device";
}

}  // namespace

std::optional<Description> describe_device_security(Bytes bytes) {
  std::optional<DeviceReport> report;
  if (starts_with(bytes, kFirstSignature)) report = read_first(ByteReader(bytes));
  if (starts_with(bytes, kSecondSignature)) report = read_second(ByteReader(bytes));
  if (!report) return std::nullopt;
  const std::string device = device_text(*report);
  const std::string path = read_device_path(report->path).text;
  std::string text = device + ", " + report->what;
  if (!report->authentication.empty()) text += ", " + report->authentication;
  Description description{.text = text,
                          .parts = {},
                          .fields = {{"device", device},
                                     {"what", report->what},
                                     {"authentication", report->authentication},
                                     {"device_path", path}}};
  if (!path.empty()) description.parts.push_back(path);
  return description;
}

}  // namespace tbs::ctl
