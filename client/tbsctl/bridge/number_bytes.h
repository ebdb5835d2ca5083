#pragma once

// What both framings with fixed answers consist of: numbers of 32 bits, the highest byte first.

#include <cstdint>
#include <initializer_list>

#include "proto/byte_writer.h"

namespace tbs::ctl::bridge {

inline proto::Buffer number_bytes(std::initializer_list<std::uint32_t> values) {
  proto::Buffer bytes;
  proto::ByteWriter writer(bytes);
  for (const std::uint32_t value : values) writer.be32(value);
  return bytes;
}

}  // namespace tbs::ctl::bridge
