#include "client/tbsctl/log/ima/text_list.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/number.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {
namespace {

// Longer than the name of any file with a signature.
constexpr std::size_t kMostLine = 65536;

std::string_view next_word(std::string_view& line) {
  const std::size_t size = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, size);
  line.remove_prefix(std::min(size + 1, line.size()));
  return word;
}

void put_field(proto::ByteWriter& writer, const proto::Buffer& field) {
  writer.le32(static_cast<std::uint32_t>(field.size()));
  writer.bytes(field);
}

proto::Buffer with_zero(std::string_view text) {
  proto::Buffer bytes(text.begin(), text.end());
  bytes.push_back(0);
  return bytes;
}

// The data as the kernel hashed it, where the text has all of it: "sha256:0123... NAME" and, by the
// template, a signature or buffer in hex, which may be missing.
proto::Buffer hashed_of(std::string_view name, std::string_view rest) {
  const bool short_form = name == "ima-ng" || name == "ima-ngv2";
  const bool long_form = name == "ima-sig" || name == "ima-sigv2" || name == "ima-buf";
  if (!short_form && !long_form) return {};
  const std::string_view digest = next_word(rest);
  const std::size_t colon = digest.rfind(':');
  if (colon == digest.npos) return {};
  const auto value = parse_hex(digest.substr(colon + 1));
  if (!value) return {};
  proto::Buffer hashed;
  proto::ByteWriter writer(hashed);
  proto::Buffer first = with_zero(digest.substr(0, colon + 1));
  first.insert(first.end(), value->begin(), value->end());
  put_field(writer, first);
  const std::string_view file = short_form ? rest : next_word(rest);
  put_field(writer, with_zero(file));
  if (short_form) return hashed;
  const auto last = parse_hex(rest);
  put_field(writer, last ? *last : proto::Buffer{});
  return hashed;
}

std::optional<ImaEntry> read_line(std::string_view line) {
  ImaEntry entry;
  while (line.starts_with(' ')) line.remove_prefix(1);
  const auto pcr = parse_number<std::uint32_t>(next_word(line));
  const auto digest = parse_hex(next_word(line));
  entry.template_name = next_word(line);
  if (!pcr || *pcr >= kPcrCount || !digest || digest->empty() || entry.template_name.empty()) {
    return std::nullopt;
  }
  entry.pcr = *pcr;
  entry.digest = *digest;
  entry.text = line;
  entry.hashed = hashed_of(entry.template_name, line);
  return entry;
}

}  // namespace

ImaEntries read_text_list(proto::Bytes bytes) {
  ImaEntries list;
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t size = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, size);
    rest.remove_prefix(std::min(size + 1, rest.size()));
    if (line.empty()) continue;
    auto entry = size <= kMostLine ? read_line(line) : std::nullopt;
    if (!entry) {
      list.fault = "line " + std::to_string(number) + " is no entry";
      break;
    }
    list.entries.push_back(*std::move(entry));
  }
  return list;
}

}  // namespace tbs::ctl
