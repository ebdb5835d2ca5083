#include "client/tbsctl/log/uefi/partition_table.h"

#include <algorithm>
#include <string_view>

#include "client/tbsctl/log/uefi/guid.h"
#include "client/tbsctl/log/words/log_text.h"

namespace tbs::ctl {
namespace {

using nlohmann::ordered_json;
using proto::ByteReader;
using proto::Bytes;

constexpr std::string_view kTableSignature = "EFI PART";
constexpr std::size_t kTableHead = 92;
// The table does not tell the size of a block; nearly all disks say this one.
constexpr std::uint64_t kBlock = 512;

struct Partition {
  std::string type;
  std::string id;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::string name;
};

Partition read_partition(Bytes entry) {
  ByteReader reader(entry);
  Partition partition{.type = read_guid(reader), .id = read_guid(reader)};
  partition.first = reader.le64();
  partition.last = reader.le64();
  reader.skip(8);  // attributes
  partition.name = utf16(reader.take(72));
  return partition;
}

std::string partition_line(std::size_t number, const Partition& partition) {
  std::string line = std::to_string(number) + ": " + named_guid(partition.type);
  if (!partition.name.empty()) line += " \"" + partition.name + "\"";
  if (partition.last >= partition.first && partition.last < UINT64_MAX / kBlock) {
    line += ", " + size_text((partition.last - partition.first + 1) * kBlock);
  }
  return line + ", " + partition.id;
}

ordered_json partition_json(const Partition& partition) {
  return {{"type", partition.type},
          {"type_name", guid_name(partition.type)},
          {"id", partition.id},
          {"name", partition.name},
          {"first_block", partition.first},
          {"last_block", partition.last}};
}

bool is_table(Bytes head) {
  return std::ranges::equal(
      head.first(kTableSignature.size()), kTableSignature,
      [](std::uint8_t a, char b) { return a == static_cast<unsigned char>(b); });
}

}  // namespace

std::optional<Description> describe_partition_table(Bytes bytes) {
  ByteReader reader(bytes);
  const Bytes head = reader.take(kTableHead);
  const std::uint64_t count = reader.le64();
  if (!reader.ok() || !is_table(head)) return std::nullopt;
  ByteReader fields(head.subspan(56));
  const std::string disk = read_guid(fields);
  fields.skip(8 + 4);  // where the entries are, and how many there is room for
  const std::uint32_t size = fields.le32();
  constexpr std::uint32_t kLeastEntry = 128;
  if (size < kLeastEntry || count > reader.remaining() / size) return std::nullopt;
  Description description{.text = "disk " + disk + ": " + counted(count, "partition"),
                          .parts = {},
                          .fields = {{"disk", disk}}};
  ordered_json partitions = ordered_json::array();
  for (std::uint64_t index = 0; index < std::min<std::uint64_t>(count, kMostParts); ++index) {
    const Partition partition = read_partition(reader.take(size));
    description.parts.push_back(partition_line(index + 1, partition));
    partitions.push_back(partition_json(partition));
  }
  description.fields["partitions"] = partitions;
  return description;
}

}  // namespace tbs::ctl
