// The processes have given up the system calls that they do not make: seen from outside, and from
// within, by calls that a debugger makes in their place.

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sched.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "tests/integration/support/notify_socket.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;

namespace {

// A line of /proc/PID/status.
std::string status_of(const std::string& process, const std::string& name) {
  std::ifstream status("/proc/" + process + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  }
  return {};
}

std::vector<std::string> threads_of(pid_t pid) {
  const std::string process = std::to_string(pid);
  std::vector<std::string> threads;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + process + "/task")) {
    threads.push_back(process + "/task/" + entry.path().filename().string());
  }
  return threads;
}

#ifdef __x86_64__

// Makes a process call the kernel.
class Debugger {
 public:
  explicit Debugger(pid_t pid) : pid_(pid) {
    if (::ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) != 0) return;
    if (::ptrace(PTRACE_INTERRUPT, pid, 0, 0) != 0) return;
    int status = 0;
    attached_ = ::waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
  }
  ~Debugger() {
    if (attached_) ::ptrace(PTRACE_DETACH, pid_, 0, 0);
  }
  Debugger(const Debugger&) = delete;
  Debugger& operator=(const Debugger&) = delete;

  [[nodiscard]] bool attached() const { return attached_; }

  // What the call returns; nothing of use where it ends the process, as soon as it goes on.
  long call(long number, std::initializer_list<unsigned long long> arguments) {
    user_regs_struct before{};
    REQUIRE(::ptrace(PTRACE_GETREGS, pid_, 0, &before) == 0);
    // It stands behind the call that it waits in: two bytes, 0f 05.
    user_regs_struct now = before;
    now.rip -= 2;
    const long instruction = ::ptrace(PTRACE_PEEKTEXT, pid_, now.rip, 0);
    REQUIRE((instruction & 0xFFFF) == 0x050F);
    now.rax = static_cast<unsigned long long>(number);
    now.orig_rax = ~0ULL;
    unsigned long long* const places[] = {&now.rdi, &now.rsi, &now.rdx, &now.r10, &now.r8, &now.r9};
    std::size_t place = 0;
    for (const unsigned long long argument : arguments) *places[place++] = argument;
    REQUIRE(::ptrace(PTRACE_SETREGS, pid_, 0, &now) == 0);
    // To the entry, and to the end.
    for (int stop = 0; stop < 2; ++stop) {
      int status = 0;
      REQUIRE(::ptrace(PTRACE_SYSCALL, pid_, 0, 0) == 0);
      REQUIRE(::waitpid(pid_, &status, __WALL) == pid_);
      REQUIRE(WIFSTOPPED(status));
    }
    REQUIRE(::ptrace(PTRACE_GETREGS, pid_, 0, &now) == 0);
    REQUIRE(::ptrace(PTRACE_SETREGS, pid_, 0, &before) == 0);
    return static_cast<long>(now.rax);
  }

 private:
  pid_t pid_;
  bool attached_ = false;
};

#endif

bool filtered() {
  if (!sanitized()) return true;
  WARN("skipped: builds with sanitizers have no filter");
  return false;
}

}  // namespace

TEST_CASE("every thread of the daemon and of its software TPM is filtered") {
  if (!filtered()) return;
  TestBench bench;
  RawClient client = bench.context();
  REQUIRE(client.call(tpm::get_random(8)).status == tbs::proto::Status::Success);
  const pid_t daemon = bench.daemon().program().pid();
  std::vector<pid_t> processes = children_of(daemon);
  CHECK(processes.size() == (device_under_test() == DeviceKind::Embedded ? 1 : 0));
  processes.push_back(daemon);
  for (const pid_t process : processes) {
    for (const std::string& thread : threads_of(process)) {
      CHECK(status_of(thread, "Seccomp") == "2");
      CHECK(status_of(thread, "NoNewPrivs") == "1");
    }
  }
  // The software TPM's own filter on top of the daemon's.
  if (processes.size() > 1) {
    const auto filters = [](pid_t pid) {
      return std::stoi(status_of(std::to_string(pid), "Seccomp_filters"));
    };
    CHECK(filters(processes.front()) == filters(daemon) + 1);
  }
}

TEST_CASE("without --seccomp nothing is filtered") {
  TestBench bench({.arguments = {"--seccomp=no"}});
  bench.context();
  const pid_t daemon = bench.daemon().program().pid();
  CHECK(status_of(std::to_string(daemon), "Seccomp") == status_of("self", "Seccomp"));
  for (const pid_t child : children_of(daemon)) {
    CHECK(status_of(std::to_string(child), "Seccomp") == status_of("self", "Seccomp"));
  }
}

#ifdef __x86_64__

TEST_CASE("what the daemon does not need fails, and it goes on") {
  if (!filtered()) return;
  TestBench bench;
  RawClient client = bench.context();
  bench.wait_until_idle();
  {
    Debugger daemon(bench.daemon().program().pid());
    if (!daemon.attached()) {
      WARN("skipped: no debugging here");
      return;
    }
    CHECK(daemon.call(SYS_getppid, {}) == ::getpid());
    CHECK(daemon.call(SYS_io_uring_setup, {1, 0}) == -ENOSYS);
    CHECK(daemon.call(SYS_socket, {AF_INET, SOCK_STREAM, 0}) == -ENOSYS);
    CHECK(daemon.call(SYS_clone, {CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0}) == -ENOSYS);
    CHECK(daemon.call(SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                 MAP_PRIVATE | MAP_ANONYMOUS, ~0ULL, 0}) == -EPERM);
    const long page = daemon.call(
        SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, ~0ULL, 0});
    REQUIRE(page > 0);
    CHECK(daemon.call(SYS_mprotect, {static_cast<unsigned long long>(page), 4096,
                                     PROT_READ | PROT_EXEC}) == -EPERM);
  }
  CHECK(client.call(tpm::get_random(8)).status == tbs::proto::Status::Success);
}

TEST_CASE("what only an attacker would call ends the process") {
  if (!filtered()) return;
  const auto [name, number] = GENERATE(table<std::string, long>({{"setuid", SYS_setuid},
                                                                 {"ptrace", SYS_ptrace},
                                                                 {"mount", SYS_mount},
                                                                 {"bpf", SYS_bpf},
                                                                 {"unshare", SYS_unshare},
                                                                 {"execve", SYS_execve}}));
  INFO(name);
  const bool embedded = device_under_test() == DeviceKind::Embedded;
  // Without a service manager, a daemon executes its own program when it is to restart.
  const TempFolder folder;
  NotifySocket manager(folder);
  TestBench bench({.environment = {manager.environment()}});
  RawClient client = bench.context();
  bench.wait_until_idle();
  const pid_t daemon = bench.daemon().program().pid();
  // The daemon of an embedded TPM starts its process; that one starts nothing.
  const pid_t victim = embedded ? children_of(daemon).front() : daemon;
  {
    Debugger debugger(victim);
    if (!debugger.attached()) {
      WARN("skipped: no debugging here");
      return;
    }
    debugger.call(number, {0, 0, 0, 0, 0});
  }
  if (embedded) {
    // The next command finds it gone, and another one is started.
    CHECK(eventually(
        [&] { return client.call(tpm::get_random(8)).status == tbs::proto::Status::Success; }));
    CHECK(children_of(daemon).front() != victim);
    CHECK(bench.daemon().log().find("killed by signal 31") != std::string::npos);
  } else {
    CHECK(bench.daemon().program().wait() == 128 + SIGSYS);
    // It has the connection to swtpm, which takes no other meanwhile.
    manager.forget();
    bench.restart_daemon();
  }
}

#endif
