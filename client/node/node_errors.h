#pragma once

// How the service's codes look to a program that knows a device: as errno values.

#include "proto/status.h"

namespace tbs::node {

// Of open(2).
int open_error(proto::Status status);
// Of a command that has no response.
int command_error(proto::Status status);

}  // namespace tbs::node
