#include "proto/status.h"

#include <algorithm>
#include <array>

namespace tbs::proto {
namespace {

struct StatusRow {
  Status status;
  std::string_view name;
  std::string_view text;
};

constexpr std::array kStatusRows = {
    StatusRow{Status::Success, "TBS_SUCCESS", "success"},
    StatusRow{Status::InternalError, "TBS_E_INTERNAL_ERROR", "an internal error"},
    StatusRow{Status::BadParameter, "TBS_E_BAD_PARAMETER", "a parameter is not valid"},
    StatusRow{Status::InvalidOutputPointer, "TBS_E_INVALID_OUTPUT_POINTER",
              "an output pointer is not valid"},
    StatusRow{Status::InvalidContext, "TBS_E_INVALID_CONTEXT", "the handle is not an open context"},
    StatusRow{Status::InsufficientBuffer, "TBS_E_INSUFFICIENT_BUFFER",
              "the output buffer is too small"},
    StatusRow{Status::IoError, "TBS_E_IOERROR",
              "the TPM could not be reached or gave no valid answer"},
    StatusRow{Status::InvalidContextParam, "TBS_E_INVALID_CONTEXT_PARAM",
              "a context parameter is not valid"},
    StatusRow{Status::ServiceNotRunning, "TBS_E_SERVICE_NOT_RUNNING", "tbsd is not running"},
    StatusRow{Status::TooManyContexts, "TBS_E_TOO_MANY_TBS_CONTEXTS", "too many contexts are open"},
    StatusRow{Status::TooManyResources, "TBS_E_TOO_MANY_RESOURCES", "a resource limit was reached"},
    StatusRow{Status::ServiceStartPending, "TBS_E_SERVICE_START_PENDING",
              "tbsd is running but could not open its TPM so far"},
    StatusRow{Status::PpiNotSupported, "TBS_E_PPI_NOT_SUPPORTED",
              "the firmware has no physical presence interface"},
    StatusRow{Status::CommandCanceled, "TBS_E_COMMAND_CANCELED", "the command was cancelled"},
    StatusRow{Status::BufferTooLarge, "TBS_E_BUFFER_TOO_LARGE", "a buffer is larger than allowed"},
    StatusRow{Status::TpmNotFound, "TBS_E_TPM_NOT_FOUND",
              "there is no TPM of the requested family"},
    StatusRow{Status::ServiceDisabled, "TBS_E_SERVICE_DISABLED", "the service is disabled"},
    StatusRow{Status::NoEventLog, "TBS_E_NO_EVENT_LOG", "there is no such event log"},
    StatusRow{Status::AccessDenied, "TBS_E_ACCESS_DENIED",
              "the caller does not have the right to do this"},
    StatusRow{Status::ProvisioningNotAllowed, "TBS_E_PROVISIONING_NOT_ALLOWED",
              "provisioning is not allowed"},
    StatusRow{Status::PpiFunctionUnsupported, "TBS_E_PPI_FUNCTION_UNSUPPORTED",
              "the firmware does not know this physical presence function"},
    StatusRow{Status::OwnerAuthNotFound, "TBS_E_OWNERAUTH_NOT_FOUND",
              "the owner authorization is not stored"},
    StatusRow{Status::ProvisioningIncomplete, "TBS_E_PROVISIONING_INCOMPLETE",
              "provisioning is not complete"},
};

constexpr StatusRow kUnknown{Status::InternalError, "TBS_E_UNKNOWN", "not a TBS return code"};

const StatusRow& row_of(Status status) {
  const auto* const row = std::ranges::find(kStatusRows, status, &StatusRow::status);
  return row == kStatusRows.end() ? kUnknown : *row;
}

}  // namespace

std::string_view status_name(Status status) {
  return row_of(status).name;
}
std::string_view status_text(Status status) {
  return row_of(status).text;
}

}  // namespace tbs::proto
