// The protocol of Microsoft's TPM simulator ("TcpServer.c" and "TpmTcpProtocol.h" of the reference
// implementation). All numbers are big-endian. Every request ends with an answer of its own and a
// zero.

#include "client/tbsctl/bridge/framing.h"
#include "client/tbsctl/bridge/number_bytes.h"
#include "proto/limits.h"

namespace tbs::ctl::bridge {
namespace {

enum class Signal : std::uint32_t {
  PowerOn = 1,
  PowerOff = 2,
  PhysicalPresenceOn = 3,
  PhysicalPresenceOff = 4,
  SendCommand = 8,
  CancelOn = 9,
  CancelOff = 10,
  NvOn = 11,
  NvOff = 12,
  KeyCacheOn = 13,
  KeyCacheOff = 14,
  RemoteHandshake = 15,
  SetAlternativeResult = 16,
  Reset = 17,
  Restart = 18,
  SessionEnd = 20,
  Stop = 21,
  GetCommandResponseSizes = 25,
  ActGetSignaled = 26,
};

constexpr std::uint32_t kServerVersion = 1;
// There is a platform port, a resource manager below, and physical presence can be signalled.
constexpr std::uint32_t kEndPoint = 0x01 | 0x02 | 0x08;
constexpr std::uint32_t kNoSizes = 16;  // four numbers about what was seen so far

Reply done() {
  return {.bytes = number_bytes({0})};
}

Broken unknown(std::string_view port, std::uint32_t code) {
  return {.why = "there is no request " + std::to_string(code) + " on the " + std::string(port) +
                 " port that can be done to a shared TPM",
          .answer = {}};
}

class CommandFraming : public Framing {
 public:
  [[nodiscard]] proto::Buffer pack(proto::Bytes response) const override {
    proto::Buffer bytes = number_bytes({static_cast<std::uint32_t>(response.size())});
    proto::ByteWriter writer(bytes);
    writer.bytes(response);
    writer.be32(0);
    return bytes;
  }

 protected:
  Wish parse(proto::ByteReader& reader) override {
    const std::uint32_t code = reader.be32();
    if (!reader.ok()) return Nothing{};
    switch (static_cast<Signal>(code)) {
      case Signal::SendCommand:
        return parse_command(reader);
      case Signal::RemoteHandshake:
        return parse_handshake(reader);
      case Signal::SetAlternativeResult:
        return parse_alternative(reader);
      case Signal::SessionEnd:
      case Signal::Stop:
        return Leave{};
      default:
        return unknown("command", code);
    }
  }

 private:
  static Wish parse_command(proto::ByteReader& reader) {
    const std::uint8_t locality = reader.u8();
    const std::uint32_t size = reader.be32();
    if (size > proto::kMaxTpmMessage) return too_long(size);
    return Execute{.command = reader.take(size), .has_locality = true, .locality = locality};
  }

  static Wish parse_handshake(proto::ByteReader& reader) {
    const std::uint32_t version = reader.be32();
    if (reader.ok() && version == 0) return Broken{.why = "its version is 0", .answer = {}};
    return Reply{.bytes = number_bytes({kServerVersion, kEndPoint, 0})};
  }

  static Wish parse_alternative(proto::ByteReader& reader) {
    const std::uint32_t size = reader.be32();
    if (size > proto::kMaxTpmMessage) return too_long(size);
    reader.skip(size);
    return done();
  }
};

class PlatformFraming : public Framing {
 public:
  // No command comes here.
  [[nodiscard]] proto::Buffer pack(proto::Bytes) const override { return {}; }

 protected:
  Wish parse(proto::ByteReader& reader) override {
    const std::uint32_t code = reader.be32();
    if (!reader.ok()) return Nothing{};
    switch (static_cast<Signal>(code)) {
      case Signal::PowerOff:
      case Signal::Reset:
        return PowerOff{.answer = number_bytes({0})};
      case Signal::PowerOn:
      case Signal::Restart:  // of its timer
      case Signal::PhysicalPresenceOn:
      case Signal::PhysicalPresenceOff:
      case Signal::NvOn:
      case Signal::NvOff:
      case Signal::KeyCacheOn:
      case Signal::KeyCacheOff:
      case Signal::CancelOff:
        return done();
      case Signal::CancelOn:
        return Cancel{.answer = number_bytes({0})};
      case Signal::GetCommandResponseSizes:
        return Reply{.bytes = number_bytes({kNoSizes, 0, 0, 0, 0, 0})};
      case Signal::ActGetSignaled:
        reader.skip(4);  // which timer
        return Reply{.bytes = number_bytes({0, 0})};
      case Signal::SessionEnd:
      case Signal::Stop:
        return Leave{};
      default:
        return unknown("platform", code);
    }
  }
};

}  // namespace

std::unique_ptr<Framing> mssim_command_framing() {
  return std::make_unique<CommandFraming>();
}
std::unique_ptr<Framing> mssim_platform_framing() {
  return std::make_unique<PlatformFraming>();
}

}  // namespace tbs::ctl::bridge
