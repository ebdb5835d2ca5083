#pragma once

// A validated look into the bytes of one TPM 2.0 response. What follows the header depends on the
// command that it answers, so that is stated by the caller. It owns nothing.

#include <array>
#include <cstdint>
#include <optional>

#include "proto/byte_reader.h"
#include "proto/tpm/constants.h"

namespace tbs::tpm {

// What the command says about its response.
struct ResponseShape {
  bool has_handle = false;
  std::uint8_t session_count = 0;
};

struct ResponseView {
  std::uint32_t code = 0;
  std::uint32_t handle = 0;  // only of successful responses whose shape has one
  proto::Bytes parameters;
  std::array<std::uint8_t, kMaxSessions> session_attributes{};

  [[nodiscard]] bool success() const { return code == 0; }
};

// Empty when the bytes are no response: too short, or not as long as the header says, or a success
// that does not have the stated shape.
std::optional<ResponseView> parse_response(proto::Bytes response, ResponseShape shape);

}  // namespace tbs::tpm
