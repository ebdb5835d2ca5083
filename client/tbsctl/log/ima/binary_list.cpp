#include "client/tbsctl/log/ima/binary_list.h"

#include <algorithm>
#include <optional>

#include "client/tbsctl/log/ima/template_data.h"
#include "client/tbsctl/pcr/pcr_value.h"

namespace tbs::ctl {
namespace {

using proto::ByteReader;
using proto::Bytes;

// A template that a user made up is named by its fields.
constexpr std::size_t kMostTemplateName = 256;

bool is_template_name(Bytes name) {
  return !name.empty() && name.size() <= kMostTemplateName &&
         std::ranges::all_of(name, [](std::uint8_t byte) { return byte > ' ' && byte < 0x7F; });
}

// The data of "ima" has no size in front of all of it.
Bytes old_template_data(ByteReader& reader) {
  constexpr std::size_t kDigest = 20;
  ByteReader ahead = reader;
  ahead.skip(kDigest);
  const std::uint32_t name = ahead.le32();
  return ahead.ok() ? reader.take(kDigest + 4 + std::size_t{name}) : reader.take(SIZE_MAX);
}

std::optional<ImaEntry> read_entry(ByteReader& reader, std::size_t digest_size) {
  ImaEntry entry{.pcr = reader.le32()};
  const Bytes digest = reader.take(digest_size);
  const Bytes name = reader.take(reader.le32());
  if (!reader.ok() || entry.pcr >= kPcrCount || !is_template_name(name)) return std::nullopt;
  entry.digest.assign(digest.begin(), digest.end());
  entry.template_name.assign(name.begin(), name.end());
  const bool old = entry.template_name == "ima";
  entry.data = old ? old_template_data(reader) : reader.take(reader.le32());
  if (!reader.ok()) return std::nullopt;
  if (!old) {
    entry.hashed.assign(entry.data.begin(), entry.data.end());
  } else if (auto hashed = hashed_of_old_template(entry.data)) {
    entry.hashed = *std::move(hashed);
  }
  return entry;
}

}  // namespace

ImaEntries read_binary_list(Bytes bytes, std::size_t digest_size) {
  ImaEntries list;
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    const std::size_t offset = bytes.size() - reader.remaining();
    auto entry = read_entry(reader, digest_size);
    if (!entry) {
      list.fault = "entry " + std::to_string(list.entries.size()) + " at byte " +
                   std::to_string(offset) + " is cut off or no entry";
      break;
    }
    list.entries.push_back(*std::move(entry));
  }
  return list;
}

}  // namespace tbs::ctl
