#pragma once

// A TPM 1.2 response taken apart, and responses of the daemon's own.

#include <cstdint>
#include <optional>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm12/constants.h"

namespace tbs::tpm12 {

struct ResponseView {
  std::uint32_t code = 0;
  // Between the header and the sessions below the line.
  proto::Bytes parameters;
  std::uint8_t auth_count = 0;
  // continueAuthSession of each session below the line.
  bool continues[kMaxAuths] = {};

  [[nodiscard]] bool success() const { return code == rc::kSuccess; }
  // The handle at the beginning, where the command returns one.
  [[nodiscard]] std::optional<std::uint32_t> handle() const;
};

// Empty when the bytes are no response.
std::optional<ResponseView> parse_response(proto::Bytes response);

// Where the response that TPM_ExecuteTransport returns begins in the outer one: header,
// currentTicks, locality, size.
inline constexpr std::size_t kWrappedResponseOffset = kHeaderSize + 8 + 4 + 4;
// Empty when there is none.
std::optional<proto::Bytes> wrapped_response(const ResponseView& outer);

// A response that is only a header.
proto::Buffer bare_response(std::uint32_t code);
proto::Buffer response_with(proto::Bytes parameters);
proto::Buffer response_with(std::uint32_t word);

// `bytes` must reach that far.
void put_be32(proto::Buffer& bytes, std::size_t offset, std::uint32_t value);

}  // namespace tbs::tpm12
