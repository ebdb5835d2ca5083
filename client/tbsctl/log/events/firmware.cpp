#include "client/tbsctl/log/events/firmware.h"

#include <algorithm>

#include "client/tbsctl/log/uefi/device_path.h"
#include "client/tbsctl/log/uefi/guid.h"
#include "client/tbsctl/log/words/log_text.h"

namespace tbs::ctl {
namespace {

using nlohmann::ordered_json;
using proto::ByteReader;
using proto::Bytes;

constexpr std::size_t kBlobSize = 16;
constexpr std::size_t kVersionGuid = 16;

// The text in front of the second layout of a structure.
std::string description_of(ByteReader& reader, bool described) {
  if (!described) return {};
  return log_text(plain_text(reader.take(reader.u8())).value_or(""));
}

}  // namespace

std::optional<Description> describe_version(Bytes bytes) {
  auto text = is_wide(bytes) || bytes.size() % 2 != 0 ? utf16_text(bytes) : std::nullopt;
  if (!text) text = plain_text(bytes);
  if (!text && bytes.size() == kVersionGuid) {
    ByteReader reader(bytes);
    text = read_guid(reader);
  }
  if (!text) return std::nullopt;
  return Description{.text = log_text(*text), .parts = {}, .fields = {}};
}

std::optional<Description> describe_post_code(Bytes bytes) {
  if (bytes.size() != kBlobSize || plain_text(bytes)) return std::nullopt;
  return describe_blob(bytes, false);
}

std::optional<Description> describe_separator(Bytes bytes) {
  ByteReader reader(bytes);
  constexpr std::uint32_t kError = 1;
  std::string text = bytes_text(bytes);
  if (bytes.size() == 4 && reader.le32() == kError) text += " (an error came before)";
  return Description{.text = text, .parts = {}, .fields = {}};
}

std::optional<Description> describe_blob(Bytes bytes, bool described) {
  ByteReader reader(bytes);
  const std::string description = description_of(reader, described);
  const std::uint64_t base = reader.le64();
  const std::uint64_t size = reader.le64();
  if (!reader.ok()) return std::nullopt;
  const std::string place = counted(size, "byte") + " at " + hex_number(base);
  return Description{.text = description.empty() ? place : description + ", " + place,
                     .parts = {},
                     .fields = {{"description", description}, {"address", base}, {"size", size}}};
}

std::optional<Description> describe_tables(Bytes bytes, bool described) {
  constexpr std::size_t kEntry = 24;
  ByteReader reader(bytes);
  const std::string description = description_of(reader, described);
  const std::uint64_t count = reader.le64();
  if (!reader.ok() || count > reader.remaining() / kEntry) return std::nullopt;
  std::string text = description.empty() ? "" : description + ": ";
  text += counted(count, "table");
  ordered_json tables = ordered_json::array();
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, kMostParts); ++i) {
    const std::string guid = read_guid(reader);
    reader.skip(8);  // where it is
    text += (i == 0 ? ": " : ", ") + named_guid(guid);
    tables.push_back({{"guid", guid}, {"name", guid_name(guid)}});
  }
  return Description{.text = log_text(text), .parts = {}, .fields = {{"tables", tables}}};
}

std::optional<Description> describe_image(Bytes bytes) {
  ByteReader reader(bytes);
  const std::uint64_t address = reader.le64();
  const std::uint64_t size = reader.le64();
  reader.skip(8);  // the address that it was linked for
  const std::uint64_t path_size = reader.le64();
  if (!reader.ok() || path_size > reader.remaining()) return std::nullopt;
  const DevicePath path = read_device_path(reader.take(path_size));
  const std::string place = place_text(path);
  Description description{
      .text = log_text((place.empty() ? "image" : place)) + " (" + counted(size, "byte") + ")",
      .parts = {},
      .fields = {
          {"file", path.file}, {"device_path", path.text}, {"address", address}, {"size", size}}};
  if (!path.file.empty() && path.text != path.file) description.parts.push_back(path.text);
  return description;
}

}  // namespace tbs::ctl
