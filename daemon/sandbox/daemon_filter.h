#pragma once

// The system calls that tbsd makes.

#include <expected>
#include <string>

namespace tbs::sandbox {

struct DaemonNeeds {
  bool starts_programs = false;  // the embedded TPM's process
  bool network = false;          // a swtpm on another machine
};

// From the start of the program on: the daemon needs no more for starting than for running.
std::expected<void, std::string> confine_daemon(const DaemonNeeds& needs);

}  // namespace tbs::sandbox
