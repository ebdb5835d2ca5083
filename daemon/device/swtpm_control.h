#pragma once

// The control channel of swtpm: what the daemon asks it, as bytes, and what it answers, taken
// apart. All numbers are big-endian (swtpm_ioctls(3)).

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "daemon/device/transceiver.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::device {

enum class ControlCommand : std::uint32_t {
  GetCapability = 0x01,
  Init = 0x02,
  GetTpmEstablished = 0x04,
  SetLocality = 0x05,
  CancelTpmCommand = 0x09,
  GetInfo = 0x12,
};

// Bits of a GetCapability answer.
constexpr std::uint64_t kControlInit = 1U << 0;
constexpr std::uint64_t kControlGetTpmEstablished = 1U << 2;
constexpr std::uint64_t kControlSetLocality = 1U << 3;
constexpr std::uint64_t kControlCancel = 1U << 5;
constexpr std::uint64_t kControlGetInfo = 1U << 14;

// Answer to what needs an initialized TPM while it is not.
constexpr std::uint32_t kControlNotRunning = 0x0A;

// `locality` matters to SetLocality alone.
proto::Buffer encode_control(ControlCommand command, std::uint8_t locality = 0);

struct ControlAnswer {
  std::uint32_t result = 0;  // 0: done; a TPM 1.2 error code otherwise
  std::uint64_t capabilities = 0;
  std::optional<Family> family;  // of GetInfo
};

// Collects one answer; a connection serves one exchange, so what follows it is of no interest.
class ControlAnswerReader {
 public:
  explicit ControlAnswerReader(ControlCommand command) : command_(command) {}

  // The answer once it is complete, nothing while more bytes are needed, or why it makes no sense.
  std::expected<std::optional<ControlAnswer>, std::string> feed(proto::Bytes received);

 private:
  std::expected<std::optional<ControlAnswer>, std::string> parse_info(
      proto::ByteReader reader) const;

  ControlCommand command_;
  proto::Buffer pending_;
};

}  // namespace tbs::device
