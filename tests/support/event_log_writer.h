#pragma once

// Makes event logs, record by record.

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/byte_writer.h"

namespace tbs::test {

class EventLogWriter {
 public:
  using Kinds = std::vector<std::pair<std::uint16_t, std::uint16_t>>;  // algorithm, size

  // The first record of a crypto-agile log.
  EventLogWriter& spec_id(const Kinds& kinds) {
    proto::Buffer data;
    proto::ByteWriter writer(data);
    for (const char letter : std::string_view("Spec ID Event03\0", 16)) {
      writer.u8(static_cast<std::uint8_t>(letter));
    }
    writer.le32(0);
    writer.le32(0x02000200);
    writer.le32(static_cast<std::uint32_t>(kinds.size()));
    for (const auto& [algorithm, size] : kinds) writer.le16(algorithm), writer.le16(size);
    writer.u8(0);
    return sha1(0, 3, proto::Buffer(20), data);
  }

  EventLogWriter& sha1(std::uint32_t pcr, std::uint32_t type, const proto::Buffer& digest,
                       const proto::Buffer& data) {
    writer_.le32(pcr);
    writer_.le32(type);
    writer_.bytes(digest);
    writer_.le32(static_cast<std::uint32_t>(data.size()));
    writer_.bytes(data);
    return *this;
  }

  using Digests = std::vector<std::pair<std::uint16_t, proto::Buffer>>;
  EventLogWriter& agile(std::uint32_t pcr, std::uint32_t type, const Digests& digests,
                        const proto::Buffer& data) {
    writer_.le32(pcr);
    writer_.le32(type);
    writer_.le32(static_cast<std::uint32_t>(digests.size()));
    for (const auto& [algorithm, digest] : digests) {
      writer_.le16(algorithm);
      writer_.bytes(digest);
    }
    writer_.le32(static_cast<std::uint32_t>(data.size()));
    writer_.bytes(data);
    return *this;
  }

  [[nodiscard]] const proto::Buffer& bytes() const { return bytes_; }

 private:
  proto::Buffer bytes_;
  proto::ByteWriter writer_{bytes_};
};

}  // namespace tbs::test
