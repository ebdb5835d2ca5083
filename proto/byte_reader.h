#pragma once

// A bounded cursor over bytes from outside. It cannot overrun: a read past the end yields zero or
// an empty span and makes the reader fail for good, so that a decoder may read a whole structure
// and check `ok()` once. The byte order is part of every call: the wire between client and daemon
// is little-endian (docs/protocol.md), TPM commands and responses are big-endian (TPM 2.0 Library,
// Part 1, "Data Types").

#include <cstddef>
#include <cstdint>
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

  std::uint8_t u8() { return static_cast<std::uint8_t>(little(1)); }
  std::uint16_t le16() { return static_cast<std::uint16_t>(little(2)); }
  std::uint32_t le32() { return static_cast<std::uint32_t>(little(4)); }
  std::uint64_t le64() { return little(8); }
  std::uint16_t be16() { return static_cast<std::uint16_t>(big(2)); }
  std::uint32_t be32() { return static_cast<std::uint32_t>(big(4)); }
  std::uint64_t be64() { return big(8); }

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
  std::uint64_t little(std::size_t width) {
    std::uint64_t value = 0;
    const Bytes raw = take(width);
    for (std::size_t i = raw.size(); i > 0; --i) value = value << 8 | raw[i - 1];
    return value;
  }

  std::uint64_t big(std::size_t width) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : take(width)) value = value << 8 | byte;
    return value;
  }

  Bytes bytes_;
  bool ok_ = true;
};

}  // namespace tbs::proto
