#pragma once

// The one interface to a TPM: bytes in, bytes or a failure out. The kernel's character device, the
// embedded software TPM and a running swtpm implement it; so do the stand-ins of the tests.
//
// Promises of every implementation:
// - Nothing here blocks, and no handler is called from within the call that was given it: handlers
//   run later, from the event loop.
// - Every handler is called exactly once, also when the device dies or is closed, unless the
//   transceiver itself is destroyed first.
// - At most one command is outstanding. The caller does not call transmit() again before the
//   handler of the previous command has been called.
// - A failure with `reopen` set leaves the device unusable until it was closed and opened again.

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/family.h"
#include "daemon/device/kept_descriptor.h"

namespace tbs::device {

// Why the device gave no response.
struct Failure {
  std::string operation;  // the step that failed, as a log line would say it: "open /dev/tpm0"
  int error = 0;          // errno value; 0 where there is none, with the reason in `operation`
  bool reopen = true;     // whether the device must be closed and opened before the next command
  std::string advice;     // what an administrator can do about it; may be empty
};

// What is known of a device once it is open.
struct Facts {
  // As far as the device knows it without asking the TPM.
  std::optional<Family> family;
  // TPM_IFTYPE_* of tbs.h: how the TPM is attached.
  std::uint32_t interface_type = 0;
  // Whether cancel() has any way to reach the device.
  bool can_cancel = false;
  // Whether commands can be sent at a locality other than 0.
  bool localities = false;
  // Whether this daemon is the one that powers the TPM: then it also sends TPM2_Shutdown.
  bool owns_power = false;
  // Whether close() and open() after want_power_cycle() take the TPM's power away in between.
  bool can_power_cycle = false;
};

class ResponseMemory;

class Transceiver {
 public:
  using Response = std::expected<std::span<const std::uint8_t>, Failure>;
  using OpenHandler = std::move_only_function<void(std::expected<Facts, Failure>)>;
  // The response's bytes are the device's, until the handler returns or calls it again.
  using ResponseHandler = std::move_only_function<void(const Response&)>;
  using CloseHandler = std::move_only_function<void()>;
  using LossHandler = std::move_only_function<void(const Failure&)>;

  virtual ~Transceiver() = default;

  // Told from the loop, at most once for each successful open(), when the device is found to be
  // gone while no command is outstanding. A device that cannot notice tells of it with the next
  // command.
  virtual void on_loss(LossHandler) {}

  // After a failure it may be called again, with or without close() in between.
  virtual void open(OpenHandler handler) = 0;

  // The five calls below are for a process that goes on where another one has ended, at any
  // instruction. What is here is for stand-ins, which have nothing to go on with, and say so at
  // once.

  // Before open() or adopt(): the commands are kept in here from now on. Its owner tells it of each
  // one (begin()) right before transmit(). It must be there until the device was closed or is gone.
  virtual void keep_in(ResponseMemory*) {}
  // What a successor needs, while the device is open. The descriptors stay the device's.
  [[nodiscard]] virtual std::vector<KeptDescriptor> kept() const { return {}; }
  // In place of open(): takes over what kept() gave a predecessor. The descriptors are the device's
  // from now on, whatever comes of it. After a failure close() and open() work as usual.
  virtual void adopt(std::vector<KeptDescriptor> left, OpenHandler handler) {
    close_descriptors(left);
    handler(std::unexpected(Failure{.operation = "take over a device of this kind"}));
  }
  // As transmit(), once after adopt(), for the command that the memory of keep_in() has the number
  // of: sends what the predecessor has not sent of it, and receives what it has not received.
  // Without it, the device is not in a state to take another command, or takes it only when the TPM
  // is done with that one.
  virtual void resume(std::span<const std::uint8_t> command, std::uint8_t locality,
                      ResponseHandler handler) {
    transmit(command, locality, std::move(handler));
  }
  // Somebody else has what kept() gave and will adopt it: this object goes away without ending
  // anything that a successor needs.
  virtual void leave_behind() {}

  // The next open() starts the TPM anew even if it is on: it is in a state that nothing else ends.
  virtual void want_power_cycle() {}

  // Sends one complete command (at least its 10-byte header, and as long as the header says).
  // `locality` is 0 wherever the device knows no other. The command's bytes are copied or sent
  // before the call returns.
  virtual void transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                        ResponseHandler handler) = 0;

  // Asks the device to give up the command that runs; a no-op where none does. Whatever comes of it
  // comes through the response handler. Never affects a later command.
  virtual void cancel() = 0;

  // The next close() is for long, but not for ever: a device that can, and is told to by its
  // configuration, keeps what the TPM has in memory for the next open(), whatever process does
  // that.
  virtual void keep_state() {}

  // Gives up whatever runs (its handler is called with a failure first) and releases the device.
  // After the handler the device may be opened again.
  virtual void close(CloseHandler handler) = 0;

  // For logs and `tbsctl info`: "/dev/tpm0", "embedded", "swtpm:path=...".
  [[nodiscard]] virtual std::string_view name() const = 0;
};

}  // namespace tbs::device
