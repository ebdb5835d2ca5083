#include "proto/tpm_header.h"

#include "proto/limits.h"

namespace tbs::proto {

std::optional<TpmHeader> read_tpm_header(Bytes message) {
  ByteReader reader(message);
  const TpmHeader header{.tag = reader.be16(), .size = reader.be32(), .code = reader.be32()};
  if (!reader.ok() || header.size != message.size()) return std::nullopt;
  return header;
}

Buffer tpm_response(std::uint16_t tag, std::uint32_t code, Bytes parameters) {
  const std::size_t size = kTpmHeaderSize + parameters.size();
  Buffer out;
  out.reserve(size);
  ByteWriter writer(out);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(size));
  writer.be32(code);
  writer.bytes(parameters);
  return out;
}

Buffer tpm_error_response(std::uint16_t tag, std::uint32_t code) {
  return tpm_response(tag, code, {});
}

}  // namespace tbs::proto
