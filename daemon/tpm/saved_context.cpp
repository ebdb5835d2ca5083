#include "daemon/tpm/saved_context.h"

namespace tbs::tpm {

std::optional<SavedContext> parse_saved_context(proto::Bytes bytes) {
  SavedContext context;
  proto::ByteReader reader(bytes);
  context.sequence = reader.be64();
  context.handle = reader.be32();
  context.hierarchy = reader.be32();
  reader.skip(reader.be16());
  if (!reader.ok()) return std::nullopt;
  context.bytes = bytes.first(bytes.size() - reader.remaining());
  return context;
}

}  // namespace tbs::tpm
