#pragma once

// A command or a response from its parts: what the header says of the size is right, everything
// else is up to the test.

#include <cstdint>

#include "proto/byte_writer.h"
#include "proto/tpm_header.h"

namespace tbs::test {

inline proto::Buffer message(std::uint16_t tag, std::uint32_t code,
                             const proto::Buffer& body = {}) {
  return proto::tpm_response(tag, code, body);
}

}  // namespace tbs::test
