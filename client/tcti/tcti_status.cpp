#include "client/tcti/tcti_status.h"

#include <tss2/tss2_tpm2_types.h>

namespace tbs::tcti {

using proto::Status;

TSS2_RC connection_code(Status status) {
  switch (status) {
    case Status::Success:
      return TSS2_RC_SUCCESS;
    case Status::ServiceNotRunning:
    case Status::ServiceDisabled:
      return TSS2_TCTI_RC_NO_CONNECTION;
    case Status::ServiceStartPending:
      return TSS2_TCTI_RC_TRY_AGAIN;
    case Status::AccessDenied:
      return TSS2_TCTI_RC_NOT_PERMITTED;
    case Status::TpmNotFound:
      return TSS2_TCTI_RC_NOT_SUPPORTED;
    case Status::TooManyContexts:
    case Status::TooManyResources:
      return TSS2_TCTI_RC_MEMORY;
    case Status::IoError:
      return TSS2_TCTI_RC_IO_ERROR;
    case Status::BadParameter:
    case Status::BufferTooLarge:
      return TSS2_TCTI_RC_BAD_VALUE;
    default:
      return TSS2_TCTI_RC_GENERAL_FAILURE;
  }
}

std::uint32_t response_code(Status status) {
  switch (status) {
    case Status::CommandCanceled:
      return TPM2_RC_CANCELED;
    case Status::IoError:
      return TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_IO_ERROR;
    case Status::TooManyContexts:
    case Status::TooManyResources:
      return TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_MEMORY;
    case Status::AccessDenied:
      return TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_NOT_PERMITTED;
    case Status::BadParameter:
    case Status::BufferTooLarge:
      return TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_BAD_VALUE;
    case Status::TpmNotFound:
    case Status::ServiceStartPending:
    case Status::ServiceNotRunning:
    case Status::ServiceDisabled:
      return TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_NO_CONNECTION;
    default:
      return TSS2_RESMGR_RC_LAYER | TSS2_BASE_RC_GENERAL_FAILURE;
  }
}

}  // namespace tbs::tcti
