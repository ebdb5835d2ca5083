#pragma once

// The system calls that tbsd makes.

#include <expected>
#include <string>

#include "daemon/sandbox/filter.h"

namespace tbs::sandbox {

struct DaemonNeeds {
  bool starts_programs = false;  // the embedded TPM's process
  bool network = false;          // a swtpm on another machine
  bool executes_itself = false;  // a restart without a service manager
};

void allow_daemon(Filter& filter, const DaemonNeeds& needs);

// From the start of the program on: the daemon needs no more for starting than for running. A
// program that a daemon with a filter has executed is under that one, and does not get a second.
std::expected<void, std::string> confine_daemon(const DaemonNeeds& needs);

}  // namespace tbs::sandbox
