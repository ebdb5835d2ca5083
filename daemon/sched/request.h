#pragma once

#include <cstdint>
#include <vector>

#include "daemon/base/ids.h"

namespace tbs::sched {

// One TPM command of a client, on its way to the device.
struct Request {
  ContextId context;
  RequestId id;
  std::uint32_t priority;  // any number; already capped to what the client may use
  std::uint8_t locality;
  std::vector<std::uint8_t> command;
  UserId user{};
  bool administrator = false;
};

}  // namespace tbs::sched
