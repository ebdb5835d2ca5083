#include "daemon/tpm/response_view.h"

namespace tbs::tpm {
namespace {

using proto::ByteReader;
using proto::Bytes;

void read_sessions(ByteReader& reader, std::uint8_t count, ResponseView& view) {
  view.parameters = reader.take(reader.be32());
  for (std::uint8_t i = 0; i < count; ++i) {
    reader.skip(reader.be16());  // nonceTPM
    view.session_attributes[i] = reader.u8();
    reader.skip(reader.be16());  // hmac
  }
}

}  // namespace

std::optional<ResponseView> parse_response(Bytes response, ResponseShape shape) {
  ResponseView view;
  ByteReader reader(response);
  const std::uint16_t tag = reader.be16();
  const std::uint32_t size = reader.be32();
  view.code = reader.be32();
  if (!reader.ok() || size != response.size()) return std::nullopt;
  if (!view.success()) return view;
  if (shape.has_handle) view.handle = reader.be32();
  if (tag == kTagSessions) {
    read_sessions(reader, shape.session_count, view);
  } else if (shape.session_count != 0 || tag != kTagNoSessions) {
    return std::nullopt;
  } else {
    view.parameters = reader.rest();
  }
  if (!reader.ok()) return std::nullopt;
  return view;
}

}  // namespace tbs::tpm
