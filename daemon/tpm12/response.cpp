#include "daemon/tpm12/response.h"

#include "proto/tpm_header.h"

namespace tbs::tpm12 {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;

std::optional<std::uint32_t> ResponseView::handle() const {
  if (parameters.size() < kHandleSize) return std::nullopt;
  return ByteReader(parameters).be32();
}

std::optional<ResponseView> parse_response(Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header || header->tag < kTagResponse || header->tag > kTagResponse + kMaxAuths) {
    return std::nullopt;
  }
  ResponseView view{.code = header->code, .parameters = response.subspan(kHeaderSize)};
  if (!view.success()) return view;
  view.auth_count = static_cast<std::uint8_t>(header->tag - kTagResponse);
  const std::size_t auth_size = view.auth_count * kResponseAuthSize;
  if (view.parameters.size() < auth_size) return std::nullopt;
  ByteReader auths(view.parameters.last(auth_size));
  for (std::uint8_t i = 0; i < view.auth_count; ++i) {
    auths.skip(kDigestSize);  // nonceEven
    view.continues[i] = auths.u8() != 0;
    auths.skip(kDigestSize);  // HMAC
  }
  view.parameters = view.parameters.first(view.parameters.size() - auth_size);
  return view;
}

std::optional<Bytes> wrapped_response(const ResponseView& outer) {
  ByteReader reader(outer.parameters);
  reader.skip(kWrappedResponseOffset - kHeaderSize - 4);
  const std::uint32_t size = reader.be32();
  if (!reader.ok() || size != reader.remaining()) return std::nullopt;
  return reader.rest();
}

Buffer bare_response(std::uint32_t code) {
  return proto::tpm_error_response(kTagResponse, code);
}

Buffer response_with(Bytes parameters) {
  Buffer response = bare_response(rc::kSuccess);
  proto::ByteWriter(response).bytes(parameters);
  put_be32(response, 2, static_cast<std::uint32_t>(response.size()));
  return response;
}

Buffer response_with(std::uint32_t word) {
  Buffer parameters;
  proto::ByteWriter(parameters).be32(word);
  return response_with(Bytes(parameters));
}

void put_be32(Buffer& bytes, std::size_t offset, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    bytes.at(offset + i) = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  }
}

}  // namespace tbs::tpm12
