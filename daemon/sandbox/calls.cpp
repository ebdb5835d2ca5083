#include "daemon/sandbox/calls.h"

#include <array>

#include <errno.h>
#include <sys/mman.h>

namespace tbs::sandbox {
namespace {

constexpr std::array kBasic = {
    "brk",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "exit",
    "exit_group",
    "fcntl",
    "fdatasync",
    "flock",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "futex",
    "futex_waitv",
    "get_robust_list",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getpgrp",
    "getpid",
    "getppid",
    "getrandom",
    "getresgid",
    "getresuid",
    "getrusage",
    "gettid",
    "gettimeofday",
    "getuid",
    "lseek",
    "madvise",
    "membarrier",
    "mremap",
    "munmap",
    "nanosleep",
    "poll",
    "ppoll",
    "pread64",
    "preadv",
    "pselect6",
    "pwrite64",
    "pwritev",
    "read",
    "readv",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigtimedwait",
    "sched_getaffinity",
    "sched_yield",
    "select",
    "set_robust_list",
    "sigaltstack",
    "sysinfo",
    "tgkill",
    "time",
    "timer_delete",
    "timer_gettime",
    "timer_settime",
    "uname",
    "write",
    "writev",
};

constexpr std::array kFile = {
    "access",     "chmod",     "creat",     "faccessat",  "faccessat2", "fallocate",  "fchmod",
    "fchmodat",   "fchmodat2", "getcwd",    "getdents64", "lstat",      "mkdir",      "mkdirat",
    "newfstatat", "open",      "openat",    "openat2",    "readlink",   "readlinkat", "rename",
    "renameat",   "renameat2", "rmdir",     "stat",       "statfs",     "statx",      "umask",
    "unlink",     "unlinkat",  "utimensat",
};

constexpr std::array kAttack = {
    "acct",
    "add_key",
    "adjtimex",
    "bpf",
    "capset",
    "chroot",
    "clock_adjtime",
    "clock_settime",
    "delete_module",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "ioperm",
    "iopl",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pidfd_getfd",
    "pidfd_send_signal",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "setdomainname",
    "setfsgid",
    "setfsuid",
    "setgid",
    "setgroups",
    "sethostname",
    "setns",
    "setregid",
    "setresgid",
    "setresuid",
    "setreuid",
    "settimeofday",
    "setuid",
    "swapoff",
    "swapon",
    "syslog",
    "umount2",
    "unshare",
    "userfaultfd",
    "vhangup",
};

constexpr std::array kStart = {"execve", "execveat"};

}  // namespace

const Names kBasicCalls{kBasic};
const Names kFileCalls{kFile};
const Names kAttacks{kAttack};
const Names kStartOfPrograms{kStart};

void allow_memory(Filter& filter) {
  constexpr std::uint64_t kBoth = PROT_WRITE | PROT_EXEC;
  // A library that is loaded later is mapped as it is, and never changed to be executed.
  filter.allow_if("mmap", 2, PROT_EXEC, 0);
  filter.allow_if("mmap", 2, kBoth, PROT_EXEC);
  filter.refuse_if("mmap", 2, kBoth, kBoth, EPERM);
  filter.allow_if("mprotect", 2, PROT_EXEC, 0);
  filter.refuse_if("mprotect", 2, PROT_EXEC, PROT_EXEC, EPERM);
}

}  // namespace tbs::sandbox
