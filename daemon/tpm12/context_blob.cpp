#include "daemon/tpm12/context_blob.h"

#include "proto/tpm12/constants.h"

namespace tbs::tpm12 {
namespace {

constexpr std::uint16_t kTagContextBlob = 0x0001;
constexpr std::size_t kLabelSize = 16;

}  // namespace

std::optional<ContextBlob> parse_context_blob(proto::Bytes blob) {
  proto::ByteReader reader(blob);
  if (reader.be16() != kTagContextBlob) return std::nullopt;
  ContextBlob context;
  context.resource_type = reader.be32();
  context.handle = reader.be32();
  reader.skip(kLabelSize);
  context.count = reader.be32();
  reader.skip(kDigestSize);
  if (!reader.ok()) return std::nullopt;
  return context;
}

std::optional<proto::Bytes> parse_sized(proto::Bytes bytes) {
  proto::ByteReader reader(bytes);
  const std::uint32_t size = reader.be32();
  if (!reader.ok() || size != reader.remaining()) return std::nullopt;
  return reader.rest();
}

}  // namespace tbs::tpm12
