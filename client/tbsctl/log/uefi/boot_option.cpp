#include "client/tbsctl/log/uefi/boot_option.h"

#include <array>
#include <cstdio>

#include "client/tbsctl/log/uefi/device_path.h"
#include "client/tbsctl/log/words/log_text.h"

namespace tbs::ctl {
namespace {

using proto::ByteReader;
using proto::Bytes;

constexpr std::uint32_t kActive = 1;
constexpr std::uint32_t kHidden = 8;

// How many bytes a text has with the zero at its end; more than there are without one.
std::size_t text_size(Bytes bytes) {
  ByteReader reader(bytes);
  while (reader.remaining() >= 2) {
    if (reader.le16() == 0) return bytes.size() - reader.remaining();
  }
  return bytes.size() + 1;
}

}  // namespace

std::optional<Description> describe_boot_option(Bytes bytes) {
  ByteReader reader(bytes);
  const std::uint32_t attributes = reader.le32();
  const std::uint16_t path_size = reader.le16();
  if (!reader.ok()) return std::nullopt;
  const Bytes name_bytes = reader.take(text_size(bytes.last(reader.remaining())));
  const Bytes path_bytes = reader.take(path_size);
  if (!reader.ok()) return std::nullopt;
  const std::string name = utf16(name_bytes);
  const DevicePath path = read_device_path(path_bytes);
  std::string text = name + ": " + place_text(path);
  if ((attributes & kActive) == 0) text += ", not active";
  if ((attributes & kHidden) != 0) text += ", hidden";
  return Description{.text = log_text(text),
                     .parts = {},
                     .fields = {{"description", name},
                                {"active", (attributes & kActive) != 0},
                                {"device_path", path.text},
                                {"file", path.file}}};
}

std::optional<std::string> boot_order_text(Bytes bytes) {
  if (bytes.empty() || bytes.size() % 2 != 0) return std::nullopt;
  ByteReader reader(bytes);
  std::string text;
  while (reader.remaining() > 0) {
    std::array<char, 8> number{};
    std::snprintf(number.data(), number.size(), "%04X", static_cast<unsigned>(reader.le16()));
    text += (text.empty() ? "" : ", ") + std::string(number.data());
  }
  return log_text(text);
}

}  // namespace tbs::ctl
