#pragma once

// A child process that is carried out one instruction at a time (PTRACE_SINGLESTEP, ptrace(2)), so
// that a test can look at, or end, it between any two. A system call is one step.

#include <functional>

#include <sys/types.h>

namespace tbs::test {

class SteppedProcess {
 public:
  // The child does `before` in one go, then stands before `work`, and ends with status 0 after it.
  SteppedProcess(const std::function<void()>& before, const std::function<void()>& work);
  // Kills it.
  ~SteppedProcess();
  SteppedProcess(const SteppedProcess&) = delete;
  SteppedProcess& operator=(const SteppedProcess&) = delete;

  // False when this machine does not let a process be stepped.
  [[nodiscard]] bool can_step() const { return can_step_; }
  // False when the process has ended.
  bool step();
  // Whether it ended by itself, with status 0.
  [[nodiscard]] bool succeeded() const { return succeeded_; }

 private:
  // False when it has ended.
  bool wait();

  pid_t pid_;
  bool ended_ = false;
  bool can_step_ = false;
  bool succeeded_ = false;
};

}  // namespace tbs::test
