#include "daemon/server/revocation.h"

#include <string_view>

#include "proto/tpm/commands.h"
#include "proto/tpm12/commands.h"
#include "proto/tpm_header.h"

namespace tbs::server {
namespace {

constexpr std::string_view kRevokedEvent = "tbs: attestation revoked";

proto::Bytes revoked_event() {
  return {reinterpret_cast<const std::uint8_t*>(kRevokedEvent.data()), kRevokedEvent.size()};
}

}  // namespace

proto::Buffer revoke_command(Family family) {
  // The event extends every bank of the PCR; a digest of TPM 1.2 is the beginning of the same text.
  return family == Family::Tpm12
             ? tpm12::build::extend(kRevokedPcr, revoked_event().first(tpm12::kDigestSize))
             : tpm::build::pcr_event(kRevokedPcr, revoked_event());
}

proto::Status revocation_status(proto::Status status, proto::Bytes response) {
  if (status != proto::Status::Success) return status;
  const auto header = proto::read_tpm_header(response);
  return header && header->code == 0 ? status : proto::Status::InternalError;
}

}  // namespace tbs::server
