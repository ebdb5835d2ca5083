#include "daemon/device/embedded/cancel_signal.h"

#include <atomic>
#include <cstring>
#include <ctime>

#include <errno.h>
#include <signal.h>

#include <libtpms/tpm_library.h>
#include <libtpms/tpm_types.h>

namespace tbs::device::embedded {
namespace {

constexpr long kRepeatNanoseconds = 1'000'000;

// Sequence numbers; 0 is none. Written by the thread and by its signal handlers.
std::atomic<std::uint32_t> running{0};
std::atomic<std::uint32_t> unwanted{0};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
timer_t repeat_timer;

void arm_repeat() {
  itimerspec once{};
  once.it_value.tv_nsec = kRepeatNanoseconds;
  timer_settime(repeat_timer, 0, &once, nullptr);
}

// TPMLIB_CancelCommand sets a flag and nothing else, so a signal handler may call it.
void press_cancel() {
  const std::uint32_t sequence = running.load();
  if (sequence == 0 || sequence != unwanted.load()) return;
  TPMLIB_CancelCommand();
  arm_repeat();
}

void on_request(int /*signal*/, siginfo_t* info, void* /*context*/) {
  if (info->si_code != SI_QUEUE) return;
  const int saved_errno = errno;
  unwanted.store(static_cast<std::uint32_t>(info->si_value.sival_int));
  press_cancel();
  errno = saved_errno;
}

void on_timer(int /*signal*/) {
  const int saved_errno = errno;
  press_cancel();
  errno = saved_errno;
}

}  // namespace

std::expected<void, std::string> install_cancel_signal() {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  if (timer_create(CLOCK_MONOTONIC, &event, &repeat_timer) != 0) {
    return std::unexpected(std::string("create a timer: ") + std::strerror(errno));
  }
  // Both signals are held back while either is handled.
  struct sigaction action{};
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGUSR1);
  sigaddset(&action.sa_mask, SIGALRM);
  action.sa_flags = SA_RESTART;
  action.sa_handler = on_timer;
  sigaction(SIGALRM, &action, nullptr);
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  action.sa_sigaction = on_request;
  sigaction(SIGUSR1, &action, nullptr);
  return {};
}

RunningCommand::RunningCommand(std::uint32_t sequence) {
  running.store(sequence);
  if (unwanted.load() == sequence) arm_repeat();
}

RunningCommand::~RunningCommand() {
  running.store(0);
}

}  // namespace tbs::device::embedded
