#include "client/node/node_errors.h"

#include <cerrno>

namespace tbs::node {

using proto::Status;

int open_error(Status status) {
  switch (status) {
    case Status::ServiceNotRunning:
    case Status::ServiceStartPending:
    case Status::ServiceDisabled:
    case Status::TpmNotFound:
      return ENODEV;
    case Status::TooManyContexts:
    case Status::TooManyResources:
      return EMFILE;
    case Status::AccessDenied:
      return EACCES;
    case Status::CommandCanceled:
      return EINTR;
    default:
      return EIO;
  }
}

int command_error(Status status) {
  switch (status) {
    case Status::CommandCanceled:
      return ECANCELED;
    case Status::TooManyContexts:
    case Status::TooManyResources:
      return ENOMEM;
    case Status::AccessDenied:
      return EPERM;
    case Status::BadParameter:
      return EINVAL;
    case Status::BufferTooLarge:
      return E2BIG;
    default:
      return EIO;
  }
}

}  // namespace tbs::node
