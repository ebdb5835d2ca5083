#include "daemon/device/child_process.h"

#include <chrono>
#include <cstring>
#include <spawn.h>
#include <thread>
#include <utility>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/device/adopted_socket.h"

namespace tbs::device {
namespace {

constexpr int kChildSocket = 3;
constexpr int kKillLimit = 10'000;  // milliseconds that the kernel may take for it
// A process that another one traces (a debugger, the leak sanitizer) cannot be reaped until that
// one has seen its end. Its pidfd tells earlier.
constexpr auto kTracerPause = std::chrono::milliseconds(1);
constexpr int kTracerPauses = 2000;

// What the child starts with: its three standard descriptors, the socket, no signal blocked or
// ignored.
class SpawnSetup {
 public:
  explicit SpawnSetup(int child_end) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_adddup2(&files_, child_end, kChildSocket);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files_, STDIN_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files_, kChildSocket + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  // errno value, or 0 with the child's id in `pid`.
  int spawn(const std::string& program, const std::vector<std::string>& arguments, pid_t& pid) {
    std::vector<char*> argv;
    argv.push_back(const_cast<char*>(program.c_str()));
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    return ::posix_spawn(&pid, program.c_str(), &files_, &attributes_, argv.data(), environ);
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

std::string describe(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return "exit status " + std::to_string(info.si_status);
  return "killed by signal " + std::to_string(info.si_status);
}

}  // namespace

std::expected<std::unique_ptr<ChildProcess>, Failure> ChildProcess::spawn(
    boost::asio::io_context& loop, const std::string& program,
    const std::vector<std::string>& arguments) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(Failure{.operation = "make a socket pair", .error = errno});
  }
  pid_t pid = 0;
  const int error = SpawnSetup(ends[1]).spawn(program, arguments, pid);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    return std::unexpected(Failure{.operation = "start " + program, .error = error});
  }
  std::unique_ptr<ChildProcess> child(new ChildProcess(loop));
  child->socket_.assign(boost::asio::local::stream_protocol(), ends[0]);
  // By number: the header of glibc 2.36 declares pidfd_open without C linkage.
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const int watch_error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    child->ended_ = true;
    return std::unexpected(Failure{.operation = "watch " + program, .error = watch_error});
  }
  child->pidfd_.assign(pidfd);
  return child;
}

std::expected<std::unique_ptr<ChildProcess>, Failure> ChildProcess::adopt(
    boost::asio::io_context& loop, int socket, int pidfd) {
  std::string problem;
  const auto family = stream_family(socket);
  if (!family) problem = family.error();
  if (family && *family != AF_UNIX) problem = "the socket is of another kind";
  // ESRCH is a process that has ended: who waits for its end will see that.
  const bool is_process =
      ::syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0) == 0 || errno == ESRCH;
  if (!is_process) problem = "the process cannot be reached";
  if (!problem.empty()) {
    if (socket >= 0) ::close(socket);
    if (pidfd >= 0) ::close(pidfd);
    return std::unexpected(Failure{.operation = "take over the embedded TPM: " + problem});
  }
  std::unique_ptr<ChildProcess> child(new ChildProcess(loop));
  child->socket_.assign(boost::asio::local::stream_protocol(), socket);
  child->pidfd_.assign(pidfd);
  return child;
}

ChildProcess::~ChildProcess() {
  if (ended_) return;
  kill();
  pollfd ended{.fd = pidfd_.native_handle(), .events = POLLIN, .revents = 0};
  while (::poll(&ended, 1, kKillLimit) < 0 && errno == EINTR) {
  }
  for (int pause = 0; !reap() && pause < kTracerPauses; ++pause) {
    std::this_thread::sleep_for(kTracerPause);
  }
}

void ChildProcess::async_wait_exit(ExitHandler handler) {
  pidfd_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [this, alive = deferred_.watch(),
                     on_exit = std::move(handler)](boost::system::error_code error) mutable {
                      if (!error && !alive.expired()) tell_exit(std::move(on_exit), kTracerPauses);
                    });
}

void ChildProcess::tell_exit(ExitHandler handler, int pauses) {
  if (auto reason = reap()) {
    ended_ = true;
    handler(std::move(*reason));
  } else if (pauses == 0) {
    ended_ = true;
    handler("it has ended, and a process that traces it does not let go of it");
  } else {
    pause_.expires_after(kTracerPause);
    pause_.async_wait([this, alive = deferred_.watch(), on_exit = std::move(handler),
                       pauses](boost::system::error_code error) mutable {
      if (!error && !alive.expired()) tell_exit(std::move(on_exit), pauses - 1);
    });
  }
}

void ChildProcess::queue_signal(int signal, std::uint32_t value) const {
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  info.si_value.sival_int = static_cast<int>(value);
  send(signal, &info);
}

void ChildProcess::kill() const {
  send(SIGKILL, nullptr);
}

void ChildProcess::send(int signal, siginfo_t* info) const {
  if (!ended_) ::syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), signal, info, 0);
}

std::optional<std::string> ChildProcess::reap() {
  siginfo_t info{};
  const auto process = static_cast<id_t>(pidfd_.native_handle());
  while (::waitid(P_PIDFD, process, &info, WEXITED | WNOHANG) != 0) {
    if (errno != EINTR) return "it was started before the daemon";
  }
  if (info.si_pid == 0) return std::nullopt;
  return describe(info);
}

}  // namespace tbs::device
