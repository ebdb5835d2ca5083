// Linux has not the same system calls on every processor, nor the same arguments in them: what the
// daemon's filter says there, as the kernel would ask it.

#include <initializer_list>
#include <sched.h>
#include <seccomp.h>
#include <string>

#include <linux/audit.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "daemon/sandbox/daemon_filter.h"
#include "tests/support/catch2.h"
#include "tests/unit/sandbox/filter_program.h"

namespace tbs::test {
namespace {

constexpr std::uint32_t kProcessors[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
                                         AUDIT_ARCH_S390X};

class Daemon {
 public:
  explicit Daemon(std::uint32_t processor, sandbox::DaemonNeeds needs = {})
      : processor_(processor),
        filter_(processor),
        program_((allow_daemon(filter_, needs), filter_)) {}

  [[nodiscard]] bool has(const char* name) const { return number_of(name) >= 0; }

  [[nodiscard]] std::uint32_t says(const char* name,
                                   std::initializer_list<std::uint64_t> arguments = {}) const {
    INFO(name);
    REQUIRE(has(name));
    return says(number_of(name), arguments);
  }

  [[nodiscard]] std::uint32_t says(int number,
                                   std::initializer_list<std::uint64_t> arguments) const {
    seccomp_data call{};
    call.nr = number;
    call.arch = processor_;
    std::size_t place = 0;
    for (const std::uint64_t argument : arguments) call.args[place++] = argument;
    return program_.verdict(call);
  }

 private:
  [[nodiscard]] int number_of(const char* name) const {
    return ::seccomp_syscall_resolve_name_arch(processor_, name);
  }

  std::uint32_t processor_;
  sandbox::Filter filter_;
  FilterProgram program_;
};

constexpr std::uint32_t kAllowed = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | 38;  // ENOSYS
constexpr std::uint32_t kRefused = SECCOMP_RET_ERRNO | 1;   // EPERM
constexpr std::uint64_t kWritable = PROT_READ | PROT_WRITE;
constexpr std::uint64_t kExecutable = PROT_READ | PROT_EXEC;

}  // namespace

TEST_CASE("a processor's own names of what the daemon does are allowed", "[sandbox]") {
  const auto processor = GENERATE(from_range(std::begin(kProcessors), std::end(kProcessors)));
  const Daemon daemon(processor);
  for (const char* const name : {"read",
                                 "pread64",
                                 "lseek",
                                 "_llseek",
                                 "openat",
                                 "fstat",
                                 "fstat64",
                                 "fstatat64",
                                 "newfstatat",
                                 "statx",
                                 "clock_gettime",
                                 "clock_gettime64",
                                 "clock_nanosleep_time64",
                                 "futex",
                                 "futex_time64",
                                 "getuid",
                                 "getuid32",
                                 "geteuid32",
                                 "getgid32",
                                 "getegid32",
                                 "getgroups32",
                                 "fcntl",
                                 "fcntl64",
                                 "ftruncate",
                                 "ftruncate64",
                                 "ppoll_time64",
                                 "_newselect",
                                 "epoll_pwait",
                                 "recvmsg",
                                 "recvmmsg_time64",
                                 "timerfd_settime",
                                 "timerfd_settime64",
                                 "sigreturn",
                                 "rt_sigreturn",
                                 "accept4",
                                 "memfd_create",
                                 "mlock",
                                 "mlock2",
                                 "madvise",
                                 "fallocate",
                                 "sendmmsg",
                                 "pidfd_open"}) {
    INFO(processor << ' ' << name);
    if (daemon.has(name)) CHECK(daemon.says(name) == kAllowed);
  }
}

TEST_CASE("a processor's own names of what an attacker does end the process", "[sandbox]") {
  const auto processor = GENERATE(from_range(std::begin(kProcessors), std::end(kProcessors)));
  const Daemon daemon(processor);
  for (const char* const name :
       {"setuid", "setuid32", "setgid32", "setresuid32", "setgroups32", "setfsuid32", "umount",
        "umount2", "execve", "ptrace", "stime", "clock_settime", "clock_settime64", "bpf"}) {
    INFO(processor << ' ' << name);
    if (daemon.has(name)) CHECK(daemon.says(name) == SECCOMP_RET_KILL_PROCESS);
  }
}

TEST_CASE("programs are executed and ended by the daemon whose task that is", "[sandbox]") {
  const auto processor = GENERATE(from_range(std::begin(kProcessors), std::end(kProcessors)));
  INFO(processor);
  const auto says = [processor](sandbox::DaemonNeeds needs, const char* name) {
    return Daemon(processor, needs).says(name);
  };
  constexpr std::uint32_t kKilled = SECCOMP_RET_KILL_PROCESS;
  const sandbox::DaemonNeeds itself{.executes_itself = true};
  const sandbox::DaemonNeeds programs{.starts_programs = true};
  CHECK(says({}, "execve") == kKilled);
  CHECK(says({}, "pidfd_send_signal") == kKilled);
  CHECK(says(itself, "execve") == kAllowed);
  CHECK(says(itself, "execveat") == kKilled);
  CHECK(says(itself, "pidfd_send_signal") == kKilled);
  CHECK(says(itself, "set_tid_address") == kAllowed);
  CHECK(says(programs, "execve") == kAllowed);
  CHECK(says(programs, "pidfd_send_signal") == kAllowed);
}

TEST_CASE("libc maps memory with mmap, or mmap2 where there is one", "[sandbox]") {
  const auto processor = GENERATE(from_range(std::begin(kProcessors), std::end(kProcessors)));
  const Daemon daemon(processor);
  const char* const map = daemon.has("mmap2") ? "mmap2" : "mmap";
  INFO(processor << ' ' << map);
  if (processor == AUDIT_ARCH_S390X) {
    // The first argument is the place of all of them.
    CHECK(daemon.says(map, {0x7FFFFFFFF000, kExecutable | kWritable, kExecutable | kWritable}) ==
          kAllowed);
  } else {
    CHECK(daemon.says(map, {0, 4096, kWritable}) == kAllowed);
    CHECK(daemon.says(map, {0, 4096, kExecutable}) == kAllowed);
    CHECK(daemon.says(map, {0, 4096, kWritable | PROT_EXEC}) == kRefused);
  }
  CHECK(daemon.says("mprotect", {0, 4096, kWritable}) == kAllowed);
  CHECK(daemon.says("mprotect", {0, 4096, kExecutable}) == kRefused);
}

TEST_CASE("what hides its arguments from the filter is not allowed beside mmap2", "[sandbox]") {
  const Daemon daemon(AUDIT_ARCH_I386);
  CHECK(daemon.says("mmap", {0, 4096, kWritable}) == kUnknown);
}

TEST_CASE("the flags of a new thread are looked for where the processor has them", "[sandbox]") {
  const auto processor = GENERATE(from_range(std::begin(kProcessors), std::end(kProcessors)));
  const Daemon daemon(processor);
  INFO(processor);
  constexpr std::uint64_t kThread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
  // The other argument is the thread's stack, any number.
  constexpr std::uint64_t kStack = 0x7FFFFFFFF000;
  const auto clone = [&](std::uint64_t flags) {
    if (processor == AUDIT_ARCH_S390X) return daemon.says("clone", {kStack, flags});
    return daemon.says("clone", {flags, kStack});
  };
  CHECK(clone(kThread) == kAllowed);
  CHECK(clone(CLONE_NEWUSER) == kUnknown);
}

TEST_CASE("sockets are allowed where they are one call", "[sandbox]") {
  const std::uint32_t processor = GENERATE(as<std::uint32_t>(), AUDIT_ARCH_I386, AUDIT_ARCH_S390X);
  const Daemon daemon(processor);
  INFO(processor);
  constexpr std::uint64_t kSocket = 1;  // SYS_SOCKET, SYS_RECVMSG of linux/net.h
  constexpr std::uint64_t kReceive = 17;
  CHECK(daemon.says("socketcall", {kSocket}) == kAllowed);
  CHECK(daemon.says("socketcall", {kReceive}) == kAllowed);
  // Asked for directly, the family counts. libseccomp does not tell this number of `socket`, which
  // is the same on both.
  constexpr int kDirectly = 359;
  CHECK(daemon.says(kDirectly, {AF_UNIX}) == kAllowed);
  CHECK(daemon.says(kDirectly, {AF_INET}) == kUnknown);
}

TEST_CASE("a program may be started for the embedded TPM on each processor", "[sandbox]") {
  const auto processor = GENERATE(from_range(std::begin(kProcessors), std::end(kProcessors)));
  const Daemon daemon(processor, {.starts_programs = true});
  for (const char* const name : {"execve", "wait4", "set_thread_area", "arch_prctl", "setrlimit"}) {
    INFO(processor << ' ' << name);
    if (daemon.has(name)) CHECK(daemon.says(name) == kAllowed);
  }
}

}  // namespace tbs::test
