#include "daemon/sandbox/calls.h"

#include <array>
#include <string_view>

#include <errno.h>
#include <linux/audit.h>
#include <sys/mman.h>

namespace tbs::sandbox {
namespace {

// Names with a number in them are those of processors of 32 bits.
constexpr std::array kBasic = {
    "_llseek",
    "_newselect",
    "brk",
    "clock_getres",
    "clock_getres_time64",
    "clock_gettime",
    "clock_gettime64",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "exit",
    "exit_group",
    "fcntl",
    "fcntl64",
    "fdatasync",
    "flock",
    "fstat",
    "fstat64",
    "fstatfs",
    "fstatfs64",
    "fsync",
    "ftruncate",
    "ftruncate64",
    "futex",
    "futex_time64",
    "futex_waitv",
    "get_robust_list",
    "getegid",
    "getegid32",
    "geteuid",
    "geteuid32",
    "getgid",
    "getgid32",
    "getgroups",
    "getgroups32",
    "getpgrp",
    "getpid",
    "getppid",
    "getrandom",
    "getresgid",
    "getresgid32",
    "getresuid",
    "getresuid32",
    "getrusage",
    "gettid",
    "gettimeofday",
    "getuid",
    "getuid32",
    "lseek",
    "madvise",
    "membarrier",
    "mremap",
    "munmap",
    "nanosleep",
    "poll",
    "ppoll",
    "ppoll_time64",
    "pread64",
    "preadv",
    "pselect6",
    "pselect6_time64",
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
    "rt_sigtimedwait_time64",
    "sched_getaffinity",
    "sched_yield",
    "select",
    "set_robust_list",
    "sigaltstack",
    "sigreturn",
    "sysinfo",
    "tgkill",
    "time",
    "timer_delete",
    "timer_gettime",
    "timer_gettime64",
    "timer_settime",
    "timer_settime64",
    "uname",
    "write",
    "writev",
};

constexpr std::array kFile = {
    "access",    "chmod",    "creat",     "faccessat",  "faccessat2", "fallocate",
    "fchmod",    "fchmodat", "fchmodat2", "fstatat64",  "getcwd",     "getdents64",
    "lstat",     "lstat64",  "mkdir",     "mkdirat",    "newfstatat", "open",
    "openat",    "openat2",  "readlink",  "readlinkat", "rename",     "renameat",
    "renameat2", "rmdir",    "stat",      "stat64",     "statfs",     "statfs64",
    "statx",     "umask",    "unlink",    "unlinkat",   "utimensat",  "utimensat_time64",
};

constexpr std::array kAttack = {
    "acct",
    "add_key",
    "adjtimex",
    "bpf",
    "capset",
    "chroot",
    "clock_adjtime",
    "clock_adjtime64",
    "clock_settime",
    "clock_settime64",
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
    "setfsgid32",
    "setfsuid",
    "setfsuid32",
    "setgid",
    "setgid32",
    "setgroups",
    "setgroups32",
    "sethostname",
    "setns",
    "setregid",
    "setregid32",
    "setresgid",
    "setresgid32",
    "setresuid",
    "setresuid32",
    "setreuid",
    "setreuid32",
    "settimeofday",
    "setuid",
    "setuid32",
    "stime",
    "swapoff",
    "swapon",
    "syslog",
    "umount",
    "umount2",
    "unshare",
    "userfaultfd",
    "vhangup",
};

constexpr std::array kStart = {"execve", "execveat", "pidfd_send_signal"};

// Of two processors mmap has its arguments in memory, where a filter cannot see them. libc on i386
// uses mmap2.
bool hides_arguments_of_mmap(std::uint32_t processor) {
  return processor == AUDIT_ARCH_S390X || processor == AUDIT_ARCH_I386;
}

}  // namespace

const Names kBasicCalls{kBasic};
const Names kFileCalls{kFile};
const Names kAttacks{kAttack};
const Names kStartOfPrograms{kStart};

void allow_memory(Filter& filter) {
  constexpr std::uint64_t kBoth = PROT_WRITE | PROT_EXEC;
  if (filter.processor() == AUDIT_ARCH_S390X) filter.allow(std::array{"mmap"});
  for (const char* const map : {"mmap", "mmap2"}) {
    if (map == std::string_view("mmap") && hides_arguments_of_mmap(filter.processor())) continue;
    // A library that is loaded later is mapped as it is, and never changed to be executed.
    filter.allow_if(map, 2, PROT_EXEC, 0);
    filter.allow_if(map, 2, kBoth, PROT_EXEC);
    filter.refuse_if(map, 2, kBoth, kBoth, EPERM);
  }
  filter.allow_if("mprotect", 2, PROT_EXEC, 0);
  filter.refuse_if("mprotect", 2, PROT_EXEC, PROT_EXEC, EPERM);
}

}  // namespace tbs::sandbox
