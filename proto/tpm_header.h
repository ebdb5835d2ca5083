#pragma once

// The ten bytes every TPM command and response starts with: tag, size, and the command or response
// code, big-endian (TPM 2.0 Library Part 1, "Command/Response Structure"; TPM 1.2 Part 2,
// "Request/Response Header").

#include <cstdint>
#include <optional>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::proto {

struct TpmHeader {
  std::uint16_t tag;
  std::uint32_t size;  // of the whole message
  std::uint32_t code;
};

// The header, or nothing when there are fewer than ten bytes or the size in the header is not that
// of `message`.
std::optional<TpmHeader> read_tpm_header(Bytes message);

// A response without sessions: header and parameters.
Buffer tpm_response(std::uint16_t tag, std::uint32_t code, Bytes parameters);

// A response that is only a header with this response code.
Buffer tpm_error_response(std::uint16_t tag, std::uint32_t code);

}  // namespace tbs::proto
