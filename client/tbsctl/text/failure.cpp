#include "client/tbsctl/text/failure.h"

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

std::string_view advice_for(proto::Status status) {
  switch (status) {
    case proto::Status::ServiceStartPending:
      return "; wait a moment, or see `tbsctl status` and `journalctl -t tbsd`";
    case proto::Status::IoError:
    case proto::Status::InternalError:
      return "; see `tbsctl status` and `journalctl -t tbsd`";
    case proto::Status::TooManyContexts:
    case proto::Status::TooManyResources:
      return "; `tbsctl contexts` shows who holds what";
    case proto::Status::TpmNotFound:
      return "; `tbsctl info` shows the TPM there is";
    default:
      return "";
  }
}

}  // namespace

Failure tbs_failure(std::string_view what, proto::Status status) {
  return {.exit = Exit::Tbs,
          .message = std::string(what) + ": " + std::string(proto::status_text(status)) + " (" +
                     std::string(proto::status_name(status)) + ", " +
                     hex32(static_cast<std::uint32_t>(status)) + ")" +
                     std::string(advice_for(status))};
}

}  // namespace tbs::ctl
