#include "client/device_id.h"

#include <array>

#include "proto/tpm/command_builder.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::client {
namespace {

using proto::Buffer;
using proto::ByteReader;
using proto::Bytes;
using proto::ByteWriter;

constexpr std::uint32_t kAttributes =
    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
    TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;

// PolicySecret(TPM_RH_ENDORSEMENT), of both templates.
constexpr std::array<std::uint8_t, 32> kPolicy = {
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24,
    0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA};

// TPMS_AUTH_COMMAND: an empty password.
constexpr std::array<std::uint8_t, 9> kNoPassword = {TPM2_RH_PW >> 24, 0, 0, TPM2_RH_PW & 0xFF};

void sized(ByteWriter& writer, Bytes bytes) {
  writer.be16(static_cast<std::uint16_t>(bytes.size()));
  writer.bytes(bytes);
}

// TPMT_PUBLIC. By hand, as the rest of this file: it is part of libtbs, which needs libc and
// libstdc++ alone.
Buffer public_area(IdKey key) {
  Buffer out;
  ByteWriter writer(out);
  writer.be16(key == IdKey::P256 ? TPM2_ALG_ECC : TPM2_ALG_RSA);
  writer.be16(TPM2_ALG_SHA256);
  writer.be32(kAttributes);
  sized(writer, kPolicy);
  writer.be16(TPM2_ALG_AES);
  writer.be16(128);
  writer.be16(TPM2_ALG_CFB);
  writer.be16(TPM2_ALG_NULL);  // signing scheme
  if (key == IdKey::P256) {
    writer.be16(TPM2_ECC_NIST_P256);
    writer.be16(TPM2_ALG_NULL);  // key derivation
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
  return tpm::CommandBuilder(tpm::cc::kCreatePrimary)
      .handle(tpm::kRhEndorsement)
      .authorization(kNoPassword)
      .sized(Buffer(4))  // the key's own authorization and data: none
      .sized(public_area(key))
      .u16(0)  // outside information
      .u32(0)  // PCRs
      .finish();
}

std::expected<IdAnswer, proto::Status> read_id_answer(Bytes response) {
  const auto header = proto::read_tpm_header(response);
  if (!header) return std::unexpected(proto::Status::IoError);
  if (header->code != 0) return IdAnswer{.response_code = header->code};
  ByteReader reader(response.subspan(tpm::kHeaderSize));
  IdAnswer answer{.handle = reader.be32()};
  reader.skip(4);              // size of the parameters
  reader.skip(reader.be16());  // public area
  reader.skip(reader.be16());  // creation data
  reader.skip(reader.be16());  // creation hash
  reader.skip(2 + 4);          // ticket
  reader.skip(reader.be16());
  const bool named = reader.be16() == 2 + kDeviceIdSize && reader.be16() == TPM2_ALG_SHA256;
  const Bytes digest = reader.take(kDeviceIdSize);
  if (!reader.ok() || !named) return std::unexpected(proto::Status::IoError);
  answer.id.assign(digest.begin(), digest.end());
  return answer;
}

bool is_unknown_key_kind(std::uint32_t response_code) {
  switch (tpm::without_position(response_code)) {
    case tpm::rc::kAsymmetric:
    case tpm::rc::kValue:
    case tpm::rc::kType:
    case tpm::rc::kCurve:
      return true;
    default:
      return false;
  }
}

}  // namespace tbs::client
