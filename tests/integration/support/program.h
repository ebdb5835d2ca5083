#pragma once

// A program that the test has started and ends by its process id. It dies with the test.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/integration/support/eventually.h"

namespace tbs::test {

struct ProgramOptions {
  std::vector<std::string> command;      // the program's path first
  std::vector<std::string> environment;  // NAME=VALUE, on top of the test's own
  std::string output;                    // file that standard output and error are appended to
  int listening = -1;  // socket handed over as systemd does (sd_listen_fds(3)); -1 for none
};

class Program {
 public:
  explicit Program(const ProgramOptions& options);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  // The exit code, or 128 and the signal that killed it; nothing when it goes on running.
  std::optional<int> wait(std::chrono::milliseconds patience = kPatience);
  bool running();

 private:
  pid_t pid_ = 0;
  std::optional<int> exit_code_;
};

// Stops a process and returns when it stands still; lets it go on.
void freeze(pid_t pid);
void thaw(pid_t pid);

// Processes whose parent is `pid`.
std::vector<pid_t> children_of(pid_t pid);
// Memory of the process that is in RAM, in bytes.
std::size_t resident_bytes(pid_t pid);
// Time that the process's first thread has been on a processor.
std::chrono::nanoseconds processor_time(pid_t pid);

}  // namespace tbs::test
