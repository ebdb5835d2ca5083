#include "client/tbsctl/maintenance/attended_program.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <spawn.h>
#include <system_error>

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/socket_stream.h"

namespace tbs::ctl {
namespace {

// As a shell has them.
constexpr int kCannotRun = 126;
constexpr int kNotFound = 127;
constexpr int kBySignal = 128;

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "a descriptor");
  }
  ~Descriptor() { ::close(descriptor_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// While it lives, the signals that would end this process are read instead.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t held;
    ::sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::sigaddset(&held, signal);
    ::pthread_sigmask(SIG_BLOCK, &held, &before_);
    reader_ = std::make_unique<Descriptor>(::signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~HeldSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  [[nodiscard]] const sigset_t& before() const { return before_; }
  [[nodiscard]] int descriptor() const { return reader_->get(); }

  // A terminal sends its own to the program as well.
  void forward_to(pid_t program) const {
    signalfd_siginfo signal{};
    while (::read(reader_->get(), &signal, sizeof signal) == sizeof signal) {
      if (signal.ssi_code != SI_KERNEL) ::kill(program, static_cast<int>(signal.ssi_signo));
    }
  }

 private:
  sigset_t before_{};
  std::unique_ptr<Descriptor> reader_;
};

std::expected<pid_t, Failure> spawn(const std::vector<std::string>& words, const sigset_t& mask) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigmask(&attributes, &mask);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t program = 0;
  const int error = ::posix_spawnp(&program, words.front().c_str(), nullptr, &attributes,
                                   arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (error == 0) return program;
  return std::unexpected(
      Failure{.exit = static_cast<Exit>(error == ENOENT ? kNotFound : kCannotRun),
              .message = words.front() + " cannot be run: " + std::strerror(error)});
}

// Whether it has ended by then.
bool wait_for_end(pid_t program, int ended, const HeldSignals& signals, client::Deadline deadline) {
  while (!client::is_over(deadline)) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(*deadline - client::Clock::now());
    std::array<pollfd, 2> events{{{.fd = ended, .events = POLLIN, .revents = 0},
                                  {.fd = signals.descriptor(), .events = POLLIN, .revents = 0}}};
    if (::poll(events.data(), events.size(), static_cast<int>(left.count())) < 0) continue;
    if (events[0].revents != 0) return true;
    if (events[1].revents != 0) signals.forward_to(program);
  }
  return false;
}

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : kBySignal + WTERMSIG(status);
}

}  // namespace

std::expected<ProgramEnd, Failure> run_attended(const std::vector<std::string>& words,
                                                std::chrono::seconds time) {
  const HeldSignals signals;
  const auto program = spawn(words, signals.before());
  if (!program) return std::unexpected(program.error());
  const Descriptor ended(static_cast<int>(::syscall(SYS_pidfd_open, *program, 0)));
  ProgramEnd end;
  if (!wait_for_end(*program, ended.get(), signals, client::Clock::now() + time)) {
    end.time_over = true;
    ::kill(*program, SIGTERM);
    if (!wait_for_end(*program, ended.get(), signals, client::Clock::now() + kTimeToEnd)) {
      ::kill(*program, SIGKILL);
    }
  }
  int status = 0;
  ::waitpid(*program, &status, 0);
  end.code = code_of(status);
  return end;
}

}  // namespace tbs::ctl
