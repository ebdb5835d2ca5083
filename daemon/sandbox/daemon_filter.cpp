#include "daemon/sandbox/daemon_filter.h"

#include <array>
#include <sched.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "daemon/sandbox/calls.h"

namespace tbs::sandbox {
namespace {

constexpr std::uint64_t kInt = 0xFFFFFFFF;
constexpr std::uint64_t kWord = ~std::uint64_t{0};

// The event loop, and the name services that may stand behind a group's name.
constexpr std::array kLoop = {
    "accept",
    "accept4",
    "bind",
    "capget",
    "connect",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "eventfd",
    "eventfd2",
    "getpeername",
    "getsockname",
    "getsockopt",
    // Who uses the kernel's own resource manager.
    "inotify_add_watch",
    "inotify_init1",
    "listen",
    "pidfd_open",
    "pipe",
    "pipe2",
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmmsg_time64",
    "recvmsg",
    "send",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "signalfd4",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_gettime64",
    "timerfd_settime",
    "timerfd_settime64",
    "wait4",
    "waitid",
};

// Memory that outlives the process, and what is in it stays there: no page of it is swapped out.
// (madvise, fallocate, recvmmsg and sendmmsg, which it needs as well, are in other lists.)
constexpr std::array kRecord = {"memfd_create", "mlock", "mlock2", "munlock"};

// The group of the administrators' socket and of a tenant's.
constexpr std::array kSocketFiles = {"chown", "chown32", "fchownat"};

// For starting a program and for ending it.
constexpr std::array kChild = {
    "kill", "pidfd_send_signal", "rt_sigqueueinfo", "seccomp", "setrlimit", "timer_create", "vfork",
};

// Of any program, until it is what it will be.
constexpr std::array kExecution = {
    "arch_prctl", "execve", "set_thread_area", "set_tid_address", "ugetrlimit",
};

constexpr std::array<std::uint64_t, 8> kDescriptorRequests = {
    FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, 0x5401 /* TCGETS */, TIOCGWINSZ,
    // Whose user namespace a client is in.
    NS_GET_PARENT, NS_GET_OWNER_UID};
constexpr std::array<std::uint64_t, 4> kProcessRequests = {PR_SET_NAME, PR_GET_NAME,
                                                           PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS};

// Where libc calls all of these through one, socketcall, any family of addresses is allowed: the
// argument is in memory.
void allow_sockets(Filter& filter, bool network) {
  for (const char* const call : {"socket", "socketpair"}) {
    filter.allow_if(call, 0, kInt, AF_UNIX);
    if (!network) continue;
    for (const int family : {AF_INET, AF_INET6, AF_NETLINK}) {
      filter.allow_if(call, 0, kInt, static_cast<std::uint64_t>(family));
    }
  }
}

// Threads, and processes of the ordinary kind: none of CLONE_NEW*. Those flags of clone3 are in
// memory, where a filter cannot see them; libc takes ENOSYS for an answer and uses clone.
void allow_threads(Filter& filter) {
  constexpr std::uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                        CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  filter.allow_if("clone", filter.processor() == AUDIT_ARCH_S390X ? 1 : 0, kNamespaces, 0);
}

void allow_programs(Filter& filter, const DaemonNeeds& needs) {
  if (needs.starts_programs || needs.executes_itself) filter.allow(kExecution);
  if (needs.starts_programs) {
    filter.allow(kChild);
    filter.allow_if("prctl", 0, kInt, PR_SET_SECCOMP);
    return;
  }
  if (needs.executes_itself) {
    filter.forbid(std::array{"execveat", "pidfd_send_signal"});
  } else {
    filter.forbid(kStartOfPrograms);
  }
  // Nobody else is to be signalled; 0 asks whether a process is there.
  filter.allow_if("kill", 1, kWord, 0);
  filter.allow(std::array{"setrlimit"});
}

}  // namespace

void allow_daemon(Filter& filter, const DaemonNeeds& needs) {
  filter.allow(kBasicCalls);
  filter.allow(kFileCalls);
  filter.allow(kLoop);
  filter.allow(kSocketFiles);
  filter.allow(kRecord);
  filter.forbid(kAttacks);
  allow_memory(filter);
  allow_threads(filter);
  allow_sockets(filter, needs.network);
  for (const std::uint64_t request : kDescriptorRequests)
    filter.allow_if("ioctl", 1, kInt, request);
  for (const std::uint64_t request : kProcessRequests) filter.allow_if("prctl", 0, kInt, request);
  // Of this process, not of another one.
  filter.allow_if("prlimit64", 0, kInt, 0);
  allow_programs(filter, needs);
}

std::expected<void, std::string> confine_daemon(const DaemonNeeds& needs) {
  Filter filter;
  allow_daemon(filter, needs);
  return filter.load();
}

}  // namespace tbs::sandbox
