#include "client/device_id.h"

#include <array>

#include "proto/tpm_header.h"

namespace tbs::client {
namespace {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;

// TPM 2.0 Library Part 2: "TPM_CC", "TPM_RH", "TPM_ALG_ID", "TPMA_OBJECT".
constexpr std::uint32_t kCreatePrimary = 0x131;
constexpr std::uint32_t kEndorsement = 0x4000000B;
constexpr std::uint32_t kPassword = 0x40000009;
constexpr std::uint16_t kRsa = 0x0001;
constexpr std::uint16_t kAes = 0x0006;
constexpr std::uint16_t kSha256 = 0x000B;
constexpr std::uint16_t kNull = 0x0010;
constexpr std::uint16_t kEcc = 0x0023;
constexpr std::uint16_t kCfb = 0x0043;
constexpr std::uint16_t kP256 = 0x0003;
// fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt.
constexpr std::uint32_t kAttributes = 0x000300B2;

// PolicySecret(TPM_RH_ENDORSEMENT), of both templates.
constexpr std::array<std::uint8_t, 32> kPolicy = {
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24,
    0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA};

void sized(ByteWriter& writer, Bytes bytes) {
  writer.be16(static_cast<std::uint16_t>(bytes.size()));
  writer.bytes(bytes);
}

Buffer public_area(IdKey key) {
  Buffer out;
  ByteWriter writer(out);
  writer.be16(key == IdKey::P256 ? kEcc : kRsa);
  writer.be16(kSha256);
  writer.be32(kAttributes);
  sized(writer, kPolicy);
  writer.be16(kAes);
  writer.be16(128);
  writer.be16(kCfb);
  writer.be16(kNull);  // signing scheme
  if (key == IdKey::P256) {
    writer.be16(kP256);
    writer.be16(kNull);  // key derivation
    sized(writer, Buffer(32));
    sized(writer, Buffer(32));
  } else {
    writer.be16(2048);
    writer.be32(0);  // the usual exponent
    sized(writer, Buffer(256));
  }
  return out;
}

}  // namespace

Buffer create_id_key(IdKey key) {
  const Buffer area = public_area(key);
  Buffer command;
  ByteWriter writer(command);
  writer.be16(proto::kTagSessions);
  writer.be32(static_cast<std::uint32_t>(10 + 4 + 4 + 9 + 6 + 2 + area.size() + 2 + 4));
  writer.be32(kCreatePrimary);
  writer.be32(kEndorsement);
  writer.be32(9);  // size of the authorization: a password, empty
  writer.be32(kPassword);
  writer.be16(0);
  writer.u8(0);
  writer.be16(0);
  writer.be16(4);  // the key's own authorization and data: none
  writer.be16(0);
  writer.be16(0);
  sized(writer, area);
  writer.be16(0);  // outside information
  writer.be32(0);  // PCRs
  return command;
}

std::expected<IdAnswer, proto::Status> read_id_answer(Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header) return std::unexpected(proto::Status::IoError);
  if (header->code != 0) return IdAnswer{.response_code = header->code};
  ByteReader reader(response.subspan(10));
  IdAnswer answer{.handle = reader.be32()};
  reader.skip(4);              // size of the parameters
  reader.skip(reader.be16());  // public area
  reader.skip(reader.be16());  // creation data
  reader.skip(reader.be16());  // creation hash
  reader.skip(2 + 4);          // ticket
  reader.skip(reader.be16());
  const bool named = reader.be16() == 2 + kDeviceIdSize && reader.be16() == kSha256;
  const Bytes digest = reader.take(kDeviceIdSize);
  if (!reader.ok() || !named) return std::unexpected(proto::Status::IoError);
  answer.id.assign(digest.begin(), digest.end());
  return answer;
}

bool is_unknown_key_kind(std::uint32_t response_code) {
  // TPM_RC_ASYMMETRIC, TPM_RC_VALUE, TPM_RC_TYPE, TPM_RC_CURVE, of whichever parameter (Part 2,
  // "Format-One Response Codes").
  if ((response_code & 0x80) == 0) return false;
  switch (response_code & 0xBF) {
    case 0x81:
    case 0x84:
    case 0x8A:
    case 0xA6:
      return true;
    default:
      return false;
  }
}

}  // namespace tbs::client
