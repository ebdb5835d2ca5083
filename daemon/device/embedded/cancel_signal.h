#pragma once

// Cancel, as it reaches the embedded TPM: the daemon queues SIGUSR1 with the sequence number of the
// command it means. The handler tells libtpms only while that very command runs, so a cancel that
// comes late does nothing to the next command. A cancel that comes early (before the command was
// read, or before libtpms cleared its flag at the start of it) is not lost either: while the wanted
// command runs, a timer repeats it every millisecond.

#include <cstdint>
#include <expected>
#include <string>

namespace tbs::device::embedded {

// Installs the handlers. Only the thread that executes commands may exist.
std::expected<void, std::string> install_cancel_signal();

// Marks one command as the one that runs, for the life of the object.
class RunningCommand {
 public:
  explicit RunningCommand(std::uint32_t sequence);
  ~RunningCommand();
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;
};

}  // namespace tbs::device::embedded
