#pragma once

// Puts itself between the code under test and open, read, write and close of chosen files: the
// program is linked with --wrap for each of them. That stands in for what only a kernel driver
// does: errors of a TPM's node, and a close that blocks.

#include <functional>
#include <string>
#include <thread>

namespace tbs::test {

class SyscallShim {
 public:
  // One at a time, for one descriptor.
  explicit SyscallShim(int descriptor);
  ~SyscallShim();
  SyscallShim(const SyscallShim&) = delete;
  SyscallShim& operator=(const SyscallShim&) = delete;

  // The next read or write of the descriptor fails with this errno value.
  void fail_next_read(int error);
  void fail_next_write(int error);
  // Opening this file fails, or writing to it.
  void fail_open(const std::string& path, int error);
  void fail_write_to(const std::string& path, int error);
  // Called before the descriptor is closed, in the thread that closes it.
  void before_close(std::function<void()> call);
};

}  // namespace tbs::test
