#pragma once

// What the dispatcher wants done. Whoever drives it takes the actions after each event and carries
// them out in order.

#include <string>
#include <variant>
#include <vector>

#include "daemon/base/ids.h"
#include "proto/status.h"

namespace tbs::sched {

// The one answer to a submit.
struct Answer {
  ContextId context;
  RequestId request;
  proto::Status status;
  std::vector<std::uint8_t> response;
};

struct SendToDevice {
  std::vector<std::uint8_t> command;
  std::uint8_t locality;
  // The process before this one was sending it, and may have sent it.
  bool resumed = false;
};

// Ask the device to give up the command that runs.
struct CancelOnDevice {};

// The device is of no use as it is: close it and open it again.
struct ReopenDevice {
  std::string reason;
};

// The TPM was started and can be used from now on; or could not, with the reason.
struct DeviceReady {};
struct DeviceUnusable {
  std::string reason;
};

// The TPM is at work on what the driver gave up, or does not answer for another reason: it is asked
// again later.
struct DeviceBusy {
  std::string reason;
};

// The machine may sleep: the TPM is empty and nothing runs, or time is up.
struct Quiesced {};

// The TPM is empty and nothing runs: the device can be closed, and somebody else have it.
struct HandedOver {};
// It has had it for as long as it may.
struct HandoverOver {};

// There is more to do at once, but others must have their turn: tick() comes next.
struct GoOn {};

// Everything has ended after stop(): the device can be closed for good.
struct Stopped {};

using Action =
    std::variant<Answer, SendToDevice, CancelOnDevice, ReopenDevice, DeviceReady, DeviceUnusable,
                 DeviceBusy, Quiesced, HandedOver, HandoverOver, GoOn, Stopped>;

}  // namespace tbs::sched
