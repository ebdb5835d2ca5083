#pragma once

// Runs a program for what it prints, and not for longer than it may take.

#include <chrono>
#include <string>
#include <vector>

namespace tbs::ctl {

struct ProgramOutput {
  bool started = false;
  bool in_time = false;  // it has ended by itself
  int exit = -1;         // its exit code; -1 when it has none
  std::string text;      // standard output and standard error, as far as they are kept
};

ProgramOutput run_program(const std::vector<std::string>& words, std::chrono::milliseconds time);

}  // namespace tbs::ctl
