#pragma once

// A TPM 2.0 command that is being put together; its size is filled in at the end.

#include <cstdint>
#include <string>
#include <utility>

#include "proto/byte_writer.h"
#include "proto/tpm_header.h"

namespace tbs::test::tpm {

class CommandWriter {
  proto::Buffer bytes_;

 public:
  proto::ByteWriter out{bytes_};

  explicit CommandWriter(std::uint32_t code, bool authorized = false) {
    out.be16(authorized ? proto::kTagSessions : proto::kTagNoSessions);
    out.be32(0);
    out.be32(code);
  }
  CommandWriter(const CommandWriter&) = delete;
  CommandWriter& operator=(const CommandWriter&) = delete;

  // Authorization area with one password.
  void password(const std::string& value = {}) {
    constexpr std::uint32_t kRsPassword = 0x40000009;
    out.be32(static_cast<std::uint32_t>(9 + value.size()));
    out.be32(kRsPassword);
    out.be16(0);
    out.u8(0);
    sized(proto::Buffer(value.begin(), value.end()));
  }
  void sized(const proto::Buffer& data) {
    out.be16(static_cast<std::uint16_t>(data.size()));
    out.bytes(data);
  }
  proto::Buffer finish() {
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    for (unsigned i = 0; i < 4; ++i)
      bytes_[2 + i] = static_cast<std::uint8_t>(size >> (24 - 8 * i));
    return std::move(bytes_);
  }
};

}  // namespace tbs::test::tpm
