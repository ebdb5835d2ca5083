#include "daemon/tpm/capability.h"

#include "daemon/tpm/command_view.h"
#include "daemon/tpm/constants.h"

namespace tbs::tpm {
namespace {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;

// moreData, capability, count of items.
constexpr std::size_t kListHeader = 1 + 4 + 4;

struct ListHeader {
  bool more = false;
  std::uint32_t count = 0;
};

std::optional<ListHeader> read_list_header(ByteReader& reader, std::uint32_t capability,
                                           std::size_t item_size) {
  ListHeader header;
  header.more = reader.u8() != 0;
  const std::uint32_t got = reader.be32();
  header.count = reader.be32();
  if (!reader.ok() || got != capability || reader.remaining() / item_size < header.count) {
    return std::nullopt;
  }
  return header;
}

}  // namespace

std::optional<CapabilityQuery> parse_capability_query(Bytes parameters) {
  ByteReader reader(parameters);
  CapabilityQuery query;
  query.capability = reader.be32();
  query.property = reader.be32();
  query.count = reader.be32();
  if (!reader.at_end()) return std::nullopt;
  return query;
}

std::optional<CapabilityList<std::uint32_t>> parse_words(Bytes parameters,
                                                         std::uint32_t capability) {
  ByteReader reader(parameters);
  const auto header = read_list_header(reader, capability, 4);
  if (!header) return std::nullopt;
  CapabilityList<std::uint32_t> list{.more = header->more, .items = {}};
  list.items.reserve(header->count);
  for (std::uint32_t i = 0; i < header->count; ++i) list.items.push_back(reader.be32());
  return list;
}

std::optional<CapabilityList<Property>> parse_properties(Bytes parameters) {
  ByteReader reader(parameters);
  const auto header = read_list_header(reader, cap::kProperties, 8);
  if (!header) return std::nullopt;
  CapabilityList<Property> list{.more = header->more, .items = {}};
  list.items.reserve(header->count);
  for (std::uint32_t i = 0; i < header->count; ++i) {
    const std::uint32_t name = reader.be32();
    list.items.push_back({name, reader.be32()});
  }
  return list;
}

Buffer handles_response(std::span<const std::uint32_t> handles, bool more) {
  Buffer response;
  const std::size_t size = kHeaderSize + kListHeader + 4 * handles.size();
  response.reserve(size);
  proto::ByteWriter writer(response);
  writer.be16(kTagNoSessions);
  writer.be32(static_cast<std::uint32_t>(size));
  writer.be32(0);
  writer.u8(more ? 1 : 0);
  writer.be32(cap::kHandles);
  writer.be32(static_cast<std::uint32_t>(handles.size()));
  for (const std::uint32_t handle : handles) writer.be32(handle);
  return response;
}

void put_property(std::span<std::uint8_t> response, std::size_t index, std::uint32_t value) {
  put_be32(response, kHeaderSize + kListHeader + 8 * index + 4, value);
}

}  // namespace tbs::tpm
