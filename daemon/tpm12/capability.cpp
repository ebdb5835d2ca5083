#include "daemon/tpm12/capability.h"

#include "daemon/tpm12/context_blob.h"
#include "daemon/tpm12/response.h"

namespace tbs::tpm12 {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;

std::optional<CapabilityQuery> parse_capability_query(Bytes parameters) {
  ByteReader reader(parameters);
  CapabilityQuery query{.area = reader.be32(), .sub = {}};
  const std::uint32_t size = reader.be32();
  if (!reader.ok() || size != reader.remaining()) return std::nullopt;
  if (size == 4) query.sub = reader.be32();
  return query;
}

std::optional<std::uint32_t> parse_capability_word(Bytes parameters) {
  const auto value = parse_sized(parameters);
  if (!value || value->size() != 4) return std::nullopt;
  return ByteReader(*value).be32();
}

std::optional<std::vector<std::uint32_t>> parse_handle_list(Bytes parameters) {
  const auto list = parse_sized(parameters);
  if (!list) return std::nullopt;
  ByteReader reader(*list);
  std::vector<std::uint32_t> handles(reader.be16());
  for (std::uint32_t& handle : handles) handle = reader.be32();
  if (!reader.at_end()) return std::nullopt;
  return handles;
}

// Both structures: a tag, then a byte for each flag.
std::optional<Flags> parse_flags(Bytes parameters) {
  const auto value = parse_sized(parameters);
  if (!value) return std::nullopt;
  ByteReader reader(*value);
  const std::uint16_t tag = reader.be16();
  const bool first = reader.u8() != 0;
  if (!reader.ok()) return std::nullopt;
  switch (tag) {
    case kTagPermanentFlags:
      return Flags{.disabled = first};
    case kTagVolatileFlags:
      return Flags{.deactivated = first};
    default:
      return std::nullopt;
  }
}

std::optional<std::vector<std::uint32_t>> parse_word_list(Bytes parameters) {
  const auto list = parse_sized(parameters);
  if (!list || list->size() % 4 != 0) return std::nullopt;
  ByteReader reader(*list);
  std::vector<std::uint32_t> words(list->size() / 4);
  for (std::uint32_t& word : words) word = reader.be32();
  return words;
}

Buffer capability_word(std::uint32_t word) {
  Buffer parameters;
  ByteWriter writer(parameters);
  writer.be32(4);
  writer.be32(word);
  return response_with(Bytes(parameters));
}

Buffer handle_list(std::span<const std::uint32_t> handles) {
  Buffer parameters;
  ByteWriter writer(parameters);
  writer.be32(static_cast<std::uint32_t>(2 + 4 * handles.size()));
  writer.be16(static_cast<std::uint16_t>(handles.size()));
  for (const std::uint32_t handle : handles) writer.be32(handle);
  return response_with(Bytes(parameters));
}

}  // namespace tbs::tpm12
