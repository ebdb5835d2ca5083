#pragma once

// What the builders of commands of both TPM families have in common: the header, and values in the
// byte order of TPMs behind it.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::proto {

template <typename Builder>
class CommandParts {
 public:
  Builder& u8(std::uint8_t value) {
    ByteWriter(bytes_).u8(value);
    return self();
  }
  Builder& u16(std::uint16_t value) {
    ByteWriter(bytes_).be16(value);
    return self();
  }
  Builder& u32(std::uint32_t value) {
    ByteWriter(bytes_).be32(value);
    return self();
  }
  Builder& bytes(Bytes raw) {
    ByteWriter(bytes_).bytes(raw);
    return self();
  }
  Builder& handle(std::uint32_t handle) { return u32(handle); }

 private:
  friend Builder;
  CommandParts(std::uint16_t tag, std::uint32_t code) {
    bytes_.reserve(kUsualSize);
    u16(tag).u32(0).u32(code);
  }

 protected:
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  // Overwrites `width` bytes that are there.
  void put(std::size_t offset, std::size_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
      bytes_[offset + i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
    }
  }
  // States tag and size.
  Buffer complete(std::uint16_t tag) {
    put(0, tag, 2);
    put(2, bytes_.size(), 4);
    return std::move(bytes_);
  }

 private:
  static constexpr std::size_t kUsualSize = 64;

  Builder& self() { return static_cast<Builder&>(*this); }

  Buffer bytes_;
};

}  // namespace tbs::proto
