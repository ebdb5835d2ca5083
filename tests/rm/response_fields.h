#pragma once

// What a test wants to know of the bytes of a response (TPM 2.0 Library, Part 1, "Command/Response
// Structure").

#include <cstdint>
#include <vector>

#include "proto/byte_reader.h"
#include "proto/tpm/constants.h"

namespace tbs::test {

inline std::uint32_t code_of(proto::Bytes response) {
  proto::ByteReader reader(response);
  reader.skip(sizeof(TPM2_ST) + sizeof(std::uint32_t));
  return reader.be32();
}

inline std::uint32_t handle_in(proto::Bytes response) {
  proto::ByteReader reader(response);
  reader.skip(tpm::kHeaderSize);
  return reader.be32();
}

// The TPM2B_DIGEST that comes first among the parameters of a response with sessions.
inline std::vector<std::uint8_t> digest_in(proto::Bytes response) {
  proto::ByteReader reader(response);
  reader.skip(tpm::kHeaderSize + sizeof(std::uint32_t));
  const auto digest = reader.take(reader.be16());
  return {digest.begin(), digest.end()};
}

}  // namespace tbs::test
