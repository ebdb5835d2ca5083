#include "tests/unit/restart/stepped_process.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tbs::test {

SteppedProcess::SteppedProcess(const std::function<void()>& before,
                               const std::function<void()>& work)
    : pid_(::fork()) {
  if (pid_ == 0) {
    before();
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) std::_Exit(1);
    (void)::raise(SIGSTOP);
    work();
    std::_Exit(0);
  }
  can_step_ = pid_ > 0 && wait() && step();
}

SteppedProcess::~SteppedProcess() {
  if (ended_ || pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  while (wait()) {
  }
}

bool SteppedProcess::step() {
  return ::ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) == 0 && wait();
}

bool SteppedProcess::wait() {
  int status = 0;
  pid_t result = 0;
  do {
    result = ::waitpid(pid_, &status, 0);
  } while (result < 0 && errno == EINTR);
  if (result == pid_ && WIFSTOPPED(status)) return true;
  ended_ = true;
  succeeded_ = result == pid_ && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return false;
}

}  // namespace tbs::test
