#pragma once

// A bounded cursor over bytes from outside. It cannot overrun: a read past the end yields zero or
// an empty span and makes the reader fail for good, so that a decoder may read a whole structure
// and check `ok()` once. The byte order is part of every call: the wire between client and daemon
// is little-endian (docs/protocol.md), TPM commands and responses are big-endian (TPM 2.0 Library,
// Part 1, "Data Types").

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace tbs::proto {

using Bytes = std::span<const std::uint8_t>;

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  // True when everything was read and nothing failed.
  [[nodiscard]] bool at_end() const { return ok_ && bytes_.empty(); }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size(); }

  std::uint8_t u8() { return number<std::uint8_t>(std::endian::native); }
  std::uint16_t le16() { return number<std::uint16_t>(std::endian::little); }
  std::uint32_t le32() { return number<std::uint32_t>(std::endian::little); }
  std::uint64_t le64() { return number<std::uint64_t>(std::endian::little); }
  std::uint16_t be16() { return number<std::uint16_t>(std::endian::big); }
  std::uint32_t be32() { return number<std::uint32_t>(std::endian::big); }
  std::uint64_t be64() { return number<std::uint64_t>(std::endian::big); }

  Bytes take(std::size_t count) {
    if (count > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const Bytes taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }

  Bytes rest() { return take(bytes_.size()); }
  void skip(std::size_t count) { take(count); }

 private:
  // In one piece: each command is read many times on its way.
  template <std::unsigned_integral Number>
  Number number(std::endian order) {
    Number value = 0;
    const Bytes raw = take(sizeof(value));
    if (raw.empty()) return 0;
    std::memcpy(&value, raw.data(), sizeof(value));
    return order == std::endian::native ? value : std::byteswap(value);
  }

  Bytes bytes_;
  bool ok_ = true;
};

}  // namespace tbs::proto
