#include "proto/tpm_header.h"

#include "proto/limits.h"

namespace tbs::proto {

std::optional<TpmHeader> read_tpm_header(Bytes message) {
  ByteReader reader(message);
  const TpmHeader header{.tag = reader.be16(), .size = reader.be32(), .code = reader.be32()};
  if (!reader.ok() || header.size != message.size()) return std::nullopt;
  return header;
}

Buffer tpm_error_response(std::uint16_t tag, std::uint32_t code) {
  Buffer out;
  out.reserve(kTpmHeaderSize);
  ByteWriter writer(out);
  writer.be16(tag);
  writer.be32(kTpmHeaderSize);
  writer.be32(code);
  return out;
}

}  // namespace tbs::proto
