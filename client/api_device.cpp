// Tbsi_GetDeviceInfo, Tbsi_Is_Tpm_Present: asked on a connection of their own, made for the one
// question.

#include <cstring>
#include <expected>

#include "client/boundary.h"
#include "client/observer_connection.h"
#include "client/socket_path.h"

using namespace tbs::client;
namespace proto = tbs::proto;
using proto::Status;

namespace {

constexpr UINT32 kStructVersion = 1;

std::expected<TPM_DEVICE_INFO, Status> ask_device_info() {
  auto observer = ObserverConnection::begin(socket_path());
  if (!observer) return std::unexpected(observer.error());
  const auto reply = observer->ask(proto::DeviceInfo{});
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != Status::Success) return std::unexpected(reply->status);
  return TPM_DEVICE_INFO{.structVersion = kStructVersion,
                         .tpmVersion = reply->tpm_version,
                         .tpmInterfaceType = reply->interface_type,
                         .tpmImpRevision = reply->revision};
}

}  // namespace

TBS_RESULT Tbsi_GetDeviceInfo(UINT32 Size, PVOID Info) {
  return at_boundary([&] {
    if (Size < sizeof(TPM_DEVICE_INFO) || Info == nullptr) return Status::BadParameter;
    const auto info = ask_device_info();
    if (!info) return info.error();
    std::memcpy(Info, &*info, sizeof *info);
    return Status::Success;
  });
}

BOOL Tbsi_Is_Tpm_Present(void) {
  TPM_DEVICE_INFO info{};
  const TBS_RESULT result = Tbsi_GetDeviceInfo(sizeof info, &info);
  return result == TBS_SUCCESS && info.tpmVersion != TPM_VERSION_UNKNOWN ? 1 : 0;
}
