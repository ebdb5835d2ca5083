#include "daemon/exec/startup.h"

#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/tpm_header.h"

namespace tbs::exec {
namespace {

using proto::Buffer;
using proto::ByteReader;
using proto::ByteWriter;

// TPM 2.0 Library Part 2: "TPM_CC", "TPM_RC", "TPM_CAP", "TPM_PT".
constexpr std::uint32_t kCcStartup = 0x144;
constexpr std::uint32_t kCcShutdown = 0x145;
constexpr std::uint32_t kCcGetCapability = 0x17A;
constexpr std::uint32_t kRcInitialize = 0x100;  // to Startup: it has been started already
constexpr std::uint32_t kRcTesting = 0x90A;
constexpr std::uint32_t kRcRetry = 0x922;
constexpr std::uint32_t kCapTpmProperties = 6;
constexpr std::uint32_t kPtRevision = 0x102;
constexpr std::uint32_t kPtManufacturer = 0x105;

// TPM 1.2 Part 2: tags, ordinals, return codes, capabilities.
constexpr std::uint16_t kTagRquCommand12 = 0x00C1;
constexpr std::uint32_t kOrdStartup12 = 0x99;
constexpr std::uint32_t kOrdSaveState12 = 0x98;
constexpr std::uint32_t kOrdGetCapability12 = 0x65;
constexpr std::uint32_t kInvalidPostInit12 = 0x26;  // to Startup: it has been started already
constexpr std::uint32_t kCapProperty12 = 5;
constexpr std::uint32_t kPropManufacturer12 = 0x103;

// Self tests of real chips take up to a second or two; this is 5 s in all.
constexpr unsigned kMaxAttempts = 50;
constexpr std::chrono::milliseconds kRetryPause{100};

Buffer command(std::uint16_t tag, std::uint32_t code, std::initializer_list<std::uint32_t> words) {
  Buffer out;
  ByteWriter writer(out);
  writer.be16(tag);
  writer.be32(static_cast<std::uint32_t>(10 + 4 * words.size()));
  writer.be32(code);
  for (const std::uint32_t word : words) writer.be32(word);
  return out;
}

Buffer command16(std::uint16_t tag, std::uint32_t code, std::uint16_t parameter) {
  Buffer out;
  ByteWriter writer(out);
  writer.be16(tag);
  writer.be32(12);
  writer.be32(code);
  writer.be16(parameter);
  return out;
}

std::string four_letters(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto letter = static_cast<char>(value >> shift & 0xff);
    if (letter > ' ' && letter < 127) text.push_back(letter);
  }
  return text;
}

// Response to GetCapability(TPM_PROPERTIES): header, moreData, capability, count, {tag, value}*.
bool read_properties20(std::span<const std::uint8_t> response, TpmIdentity& identity) {
  ByteReader reader(response);
  reader.skip(10 + 1);
  if (reader.be32() != kCapTpmProperties) return false;
  const std::uint32_t count = reader.be32();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint32_t property = reader.be32();
    const std::uint32_t value = reader.be32();
    if (property == kPtRevision) identity.revision = value;
    if (property == kPtManufacturer) identity.manufacturer = four_letters(value);
  }
  return reader.ok() && count > 0;
}

bool read_properties12(std::span<const std::uint8_t> response, TpmIdentity& identity) {
  ByteReader reader(response);
  reader.skip(10 + 4);
  identity.manufacturer = four_letters(reader.be32());
  identity.revision = 116;
  return reader.ok();
}

}  // namespace

Step Startup::start() {
  return send();
}

Step Startup::send() {
  switch (stage_) {
    case Stage::Startup20:
      return Transmit{.command = command16(proto::kTagNoSessions, kCcStartup, 0)};
    case Stage::Properties20:
      return Transmit{.command = command(proto::kTagNoSessions, kCcGetCapability,
                                         {kCapTpmProperties, kPtRevision, 8})};
    case Stage::Startup12:
      return Transmit{.command = command16(kTagRquCommand12, kOrdStartup12, 1)};
    case Stage::Properties12:
      return Transmit{.command = command(kTagRquCommand12, kOrdGetCapability12,
                                         {kCapProperty12, 4, kPropManufacturer12})};
  }
  return Done{.status = proto::Status::InternalError};
}

Step Startup::advance(Stage stage) {
  stage_ = stage;
  attempts_ = 0;
  return send();
}

Step Startup::retry() {
  if (++attempts_ > kMaxAttempts) return Done{.status = proto::Status::IoError};
  return Pause{kRetryPause};
}

Step Startup::on_pause_over() {
  return send();
}

Step Startup::on_response(std::span<const std::uint8_t> response) {
  const auto header = proto::read_tpm_header(response);
  if (!header) return Done{.status = proto::Status::IoError};
  if (header->code == kRcRetry || header->code == kRcTesting) return retry();
  switch (stage_) {
    case Stage::Startup20:
      return on_startup20(header->tag, header->code);
    case Stage::Startup12:
      if (header->code != 0 && header->code != kInvalidPostInit12) break;
      return advance(Stage::Properties12);
    case Stage::Properties20:
      if (header->code != 0 || !read_properties20(response, identity_)) break;
      identity_.version = 2;
      return Done{};
    case Stage::Properties12:
      if (header->code != 0 || !read_properties12(response, identity_)) break;
      identity_.version = 1;
      return Done{};
  }
  return Done{.status = proto::Status::IoError};
}

Step Startup::on_startup20(std::uint16_t tag, std::uint32_t code) {
  if (tag == proto::kTagRspCommand) return advance(Stage::Startup12);
  if (code != 0 && code != kRcInitialize) return Done{.status = proto::Status::IoError};
  return advance(Stage::Properties20);
}

Step Shutdown::start() {
  if (!owns_power_) return Done{};
  if (version_ == 1) return Transmit{.command = command(kTagRquCommand12, kOrdSaveState12, {})};
  return Transmit{.command = command16(proto::kTagNoSessions, kCcShutdown, 0)};
}

}  // namespace tbs::exec
