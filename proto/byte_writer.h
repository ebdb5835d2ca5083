#pragma once

// Appends integers and bytes to a vector in a stated byte order; the counterpart of ByteReader.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tbs::proto {

using Buffer = std::vector<std::uint8_t>;

class ByteWriter {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit ByteWriter(Buffer& out) : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(value); }
  void le16(std::uint16_t value) { little(value, 2); }
  void le32(std::uint32_t value) { little(value, 4); }
  void le64(std::uint64_t value) { little(value, 8); }
  void be16(std::uint16_t value) { big(value, 2); }
  void be32(std::uint32_t value) { big(value, 4); }
  void be64(std::uint64_t value) { big(value, 8); }
  void bytes(std::span<const std::uint8_t> raw) { out_.insert(out_.end(), raw.begin(), raw.end()); }

 private:
  // All at once: a vector checks its room at each call.
  void little(std::uint64_t value, unsigned width) {
    std::array<std::uint8_t, sizeof(value)> raw{};
    for (unsigned i = 0; i < width; ++i) raw[i] = static_cast<std::uint8_t>(value >> (8 * i));
    out_.insert(out_.end(), raw.begin(), raw.begin() + width);
  }
  void big(std::uint64_t value, unsigned width) {
    for (unsigned i = width; i > 0; --i) u8(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
  }

  Buffer& out_;
};

}  // namespace tbs::proto
