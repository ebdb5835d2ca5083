#include "daemon/server/revocation.h"

#include <string_view>

#include "proto/tpm_header.h"

namespace tbs::server {
namespace {

constexpr std::string_view kRevokedEvent = "tbs: attestation revoked";

// TPM2_PCR_Event with an empty password: extends every bank of the PCR. Source: TPM 2.0 Library
// Part 3, "TPM2_PCR_Event".
proto::Buffer revoke_command20() {
  proto::Buffer command;
  proto::ByteWriter writer(command);
  writer.be16(proto::kTagSessions);
  writer.be32(static_cast<std::uint32_t>(10 + 4 + 4 + 9 + 2 + kRevokedEvent.size()));
  writer.be32(0x13C);
  writer.be32(kRevokedPcr);
  writer.be32(9);  // size of the authorization: TPM_RS_PW, no nonce, no attributes, empty
  writer.be32(0x40000009);
  writer.be16(0);
  writer.u8(0);
  writer.be16(0);
  writer.be16(static_cast<std::uint16_t>(kRevokedEvent.size()));
  for (const char letter : kRevokedEvent) writer.u8(static_cast<std::uint8_t>(letter));
  return command;
}

// TPM_Extend, whose digest is the beginning of the same text. Source: TPM 1.2 Part 3, "TPM_Extend".
proto::Buffer revoke_command12() {
  constexpr std::size_t kDigest = 20;
  proto::Buffer command;
  proto::ByteWriter writer(command);
  writer.be16(0x00C1);
  writer.be32(10 + 4 + kDigest);
  writer.be32(0x14);
  writer.be32(kRevokedPcr);
  for (const char letter : kRevokedEvent.substr(0, kDigest)) {
    writer.u8(static_cast<std::uint8_t>(letter));
  }
  return command;
}

}  // namespace

proto::Buffer revoke_command(std::uint32_t tpm_version) {
  return tpm_version == 1 ? revoke_command12() : revoke_command20();
}

proto::Status revocation_status(proto::Status status, proto::Bytes response) {
  if (status != proto::Status::Success) return status;
  const auto header = proto::read_tpm_header(response);
  return header && header->code == 0 ? status : proto::Status::InternalError;
}

}  // namespace tbs::server
