// The control channel of swtpm (swtpm_ioctls(3)). All numbers are big-endian; an answer starts with
// 0 or a TPM 1.2 error code.

#include <optional>

#include "client/tbsctl/bridge/framing.h"
#include "client/tbsctl/bridge/number_bytes.h"
#include "proto/limits.h"

namespace tbs::ctl::bridge {
namespace {

enum class Control : std::uint32_t {
  GetCapability = 0x01,
  Init = 0x02,
  Shutdown = 0x03,
  GetTpmEstablished = 0x04,
  SetLocality = 0x05,
  HashStart = 0x06,
  HashData = 0x07,
  HashEnd = 0x08,
  CancelTpmCommand = 0x09,
  StoreVolatile = 0x0A,
  ResetTpmEstablished = 0x0B,
  GetStateBlob = 0x0C,
  Stop = 0x0E,
  GetConfig = 0x0F,
  SetBufferSize = 0x11,
  LockStorage = 0x13,
};

// Init, Shutdown, GetTpmEstablished, SetLocality, CancelTpmCommand, StoreVolatile, Stop, GetConfig
// and SetBufferSize, as GetCapability tells them.
constexpr std::uint64_t kCapabilities = 0x2C6F;

constexpr std::uint32_t kFail = 0x09;
constexpr std::uint32_t kBadOrdinal = 0x0A;
constexpr std::uint32_t kBadLocality = 0x3D;
constexpr std::uint8_t kLastLocality = 4;
constexpr std::uint32_t kBufferSize = 4096;

Reply answer(std::initializer_list<std::uint32_t> values) {
  return {.bytes = number_bytes(values)};
}

Reply capabilities() {
  Reply reply;
  proto::ByteWriter(reply.bytes).be64(kCapabilities);
  return reply;
}

Wish set_locality(std::uint8_t locality) {
  if (locality > kLastLocality) return answer({kBadLocality});
  return UseLocality{.locality = locality, .answer = number_bytes({0})};
}

class ControlFraming : public Framing {
 public:
  // No command comes here.
  [[nodiscard]] proto::Buffer pack(proto::Bytes) const override { return {}; }

 protected:
  Wish parse(proto::ByteReader& reader) override {
    const std::uint32_t code = reader.be32();
    if (!reader.ok()) return Nothing{};
    if (auto wish = parse_pretended(static_cast<Control>(code), reader)) return *std::move(wish);
    if (auto wish = parse_refused(static_cast<Control>(code), reader)) return *std::move(wish);
    return Broken{.why = "its control command " + std::to_string(code) + " is not known",
                  .answer = number_bytes({kBadOrdinal})};
  }

 private:
  static std::optional<Wish> parse_pretended(Control control, proto::ByteReader& reader) {
    switch (control) {
      case Control::GetCapability:
        return capabilities();
      case Control::Init:
        reader.skip(4);  // flags
        return PowerOff{.answer = number_bytes({0})};
      case Control::Shutdown:
      case Control::Stop:
        return PowerOff{.answer = number_bytes({0})};
      case Control::StoreVolatile:
        return answer({0});
      case Control::GetTpmEstablished:
        return answer({0, 0});  // the bit, and padding
      case Control::SetLocality:
        return set_locality(reader.u8());
      case Control::CancelTpmCommand:
        return Cancel{.answer = number_bytes({0})};
      case Control::GetConfig:
        return answer({0, 0});
      case Control::SetBufferSize:
        reader.skip(4);  // the size wanted
        return answer({0, kBufferSize, kBufferSize, kBufferSize});
      default:
        return std::nullopt;
    }
  }

  static std::optional<Wish> parse_refused(Control control, proto::ByteReader& reader) {
    switch (control) {
      case Control::HashStart:
      case Control::HashEnd:
        return answer({kFail});
      case Control::HashData: {
        const std::uint32_t size = reader.be32();
        if (size > proto::kMaxTpmMessage) return too_long(size);
        reader.skip(size);
        return answer({kFail});
      }
      case Control::ResetTpmEstablished:
        reader.skip(1);  // locality
        return answer({kFail});
      case Control::GetStateBlob:
        reader.skip(12);                  // flags, type and offset
        return answer({kFail, 0, 0, 0});  // flags, length in all and of this part
      case Control::LockStorage:
        reader.skip(4);  // how often to try
        return answer({kFail});
      default:
        return std::nullopt;
    }
  }
};

}  // namespace

std::unique_ptr<Framing> swtpm_control_framing() {
  return std::make_unique<ControlFraming>();
}

}  // namespace tbs::ctl::bridge
