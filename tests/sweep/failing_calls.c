// Fails one call of a library function with a chosen error: for LD_PRELOAD, or linked into a
// program. It counts all of them, so that one run says what there is to fail in the next. It makes
// no system call of its own after the start of the program, whose filter would not know it.
//
// A call that fails is not made, but close(2): whatever it says, the descriptor is free.
#define _GNU_SOURCE 1
// Whose names for the functions would be other ones, or the same one for two.
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS

#include "tests/sweep/failing_calls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static struct SweepState* state;

void sweep_use(struct SweepState* used) {
  state = used;
}

// A program that executes itself is counted on.
__attribute__((constructor)) static void map_state(void) {
  const char* const path = getenv("SWEEP_STATE");
  if (path == NULL || state != NULL) return;
  const int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (file < 0) return;
  void* const memory = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  syscall(SYS_close, file);
  if (memory == MAP_FAILED) return;
  struct SweepState* const mapped = memory;
  if (mapped->program[0] == 0 || strcmp(mapped->program, program_invocation_short_name) == 0) {
    state = mapped;
  }
}

static void count(const char* function) {
  while (__atomic_exchange_n(&state->lock, 1, __ATOMIC_ACQUIRE) != 0) {
  }
  for (int place = 0; place < kSweepFunctions; ++place) {
    struct SweepCount* const entry = &state->counts[place];
    if (entry->function[0] == 0) strncpy(entry->function, function, kSweepName - 1);
    if (strcmp(entry->function, function) != 0) continue;
    ++entry->calls;
    break;
  }
  __atomic_store_n(&state->lock, 0, __ATOMIC_RELEASE);
}

// 0, or how this call fails.
static int fault_of(const char* function) {
  if (state == NULL) return 0;
  count(function);
  if (strcmp(state->function, function) != 0) return 0;
  const int number = __atomic_sub_fetch(&state->number, 1, __ATOMIC_ACQ_REL);
  if (number > 0 || number <= -state->times) return 0;
  __atomic_add_fetch(&state->happened, 1, __ATOMIC_ACQ_REL);
  return state->fault;
}

static bool fails(const char* function) {
  const int fault = fault_of(function);
  if (fault <= 0) return false;
  errno = fault;
  return true;
}

// A socket to which nothing can be sent any more has nothing to read either.
static void cut_off(int fd, int fault) {
  static __typeof__(&shutdown) real;
  if (real == NULL) real = (__typeof__(real))dlsym(RTLD_NEXT, "shutdown");
  if (fault == EPIPE || fault == ECONNRESET) real(fd, SHUT_RDWR);
}

#define REAL(name)               \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(real))dlsym(RTLD_NEXT, #name)

// A function that returns -1, or whatever `failed` is, and sets errno.
#define FAILS_AS(failed, counted, result, name, parameters, arguments) \
  EXPORTED result name parameters {                                    \
    REAL(name);                                                        \
    return fails(counted) ? (failed) : real arguments;                 \
  }
#define FAILS(result, name, parameters, arguments) \
  FAILS_AS(-1, #name, result, name, parameters, arguments)

// One that returns the error.
#define RETURNS(name, parameters, arguments)   \
  EXPORTED int name parameters {               \
    REAL(name);                                \
    const int fault = fault_of(#name);         \
    return fault > 0 ? fault : real arguments; \
  }

// Pipes and counters that a program has with itself: the kernel does not fail them.
static bool is_own(int fd) {
  static __typeof__(&fstat64) real;
  if (real == NULL) real = (__typeof__(real))dlsym(RTLD_NEXT, "fstat64");
  struct stat64 info;
  return real(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || (info.st_mode & S_IFMT) == 0);
}

// One that moves bytes, of which there may be fewer than were wanted.
#define MOVES(name, parameters, size, arguments)        \
  EXPORTED ssize_t name parameters {                    \
    REAL(name);                                         \
    const int fault = is_own(fd) ? 0 : fault_of(#name); \
    if (fault > 0) {                                    \
      cut_off(fd, fault);                               \
      errno = fault;                                    \
      return -1;                                        \
    }                                                   \
    if (fault == kSweepEnd) return 0;                   \
    if (fault == kSweepShort && (size) > 1) (size) = 1; \
    return real arguments;                              \
  }

MOVES(read, (int fd, void* room, size_t size), size, (fd, room, size))
MOVES(pread64, (int fd, void* room, size_t size, off64_t at), size, (fd, room, size, at))
MOVES(write, (int fd, const void* bytes, size_t size), size, (fd, bytes, size))
MOVES(recv, (int fd, void* room, size_t size, int flags), size, (fd, room, size, flags))
MOVES(send, (int fd, const void* bytes, size_t size, int flags), size, (fd, bytes, size, flags))
MOVES(recvfrom,
      (int fd, void* room, size_t size, int flags, __SOCKADDR_ARG from, socklen_t* length), size,
      (fd, room, size, flags, from, length))
MOVES(sendto,
      (int fd, const void* bytes, size_t size, int flags, __CONST_SOCKADDR_ARG to,
       socklen_t length),
      size, (fd, bytes, size, flags, to, length))

// The first byte of the first part that has any.
static struct iovec one_byte(const struct iovec* parts, size_t parts_count) {
  struct iovec first = {NULL, 0};
  for (size_t part = 0; part < parts_count && first.iov_len == 0; ++part) first = parts[part];
  if (first.iov_len > 1) first.iov_len = 1;
  return first;
}

#define MOVES_PARTS(name)                                                     \
  EXPORTED ssize_t name(int fd, const struct iovec* parts, int parts_count) { \
    REAL(name);                                                               \
    const int fault = fault_of(#name);                                        \
    if (fault > 0) errno = fault;                                             \
    if (fault > 0) return -1;                                                 \
    if (fault == kSweepEnd) return 0;                                         \
    if (fault != kSweepShort) return real(fd, parts, parts_count);            \
    const struct iovec first = one_byte(parts, (size_t)parts_count);          \
    return real(fd, &first, 1);                                               \
  }
MOVES_PARTS(readv)
MOVES_PARTS(writev)

EXPORTED ssize_t recvmsg(int fd, struct msghdr* message, int flags) {
  REAL(recvmsg);
  const int fault = fault_of("recvmsg");
  cut_off(fd, fault);
  if (fault > 0) errno = fault;
  if (fault > 0) return -1;
  if (fault == kSweepEnd) return 0;
  if (fault != kSweepShort) return real(fd, message, flags);
  struct iovec first = one_byte(message->msg_iov, message->msg_iovlen);
  struct msghdr shorter = *message;
  shorter.msg_iov = &first;
  shorter.msg_iovlen = 1;
  const ssize_t done = real(fd, &shorter, flags);
  message->msg_controllen = shorter.msg_controllen;
  message->msg_namelen = shorter.msg_namelen;
  message->msg_flags = shorter.msg_flags;
  return done;
}

EXPORTED ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  REAL(sendmsg);
  const int fault = fault_of("sendmsg");
  cut_off(fd, fault);
  if (fault > 0) errno = fault;
  if (fault > 0) return -1;
  if (fault != kSweepShort) return real(fd, message, flags);
  struct iovec first = one_byte(message->msg_iov, message->msg_iovlen);
  struct msghdr shorter = *message;
  shorter.msg_iov = &first;
  shorter.msg_iovlen = 1;
  return real(fd, &shorter, flags);
}

EXPORTED int close(int fd) {
  REAL(close);
  const int fault = fault_of("close");
  const int result = real(fd);
  if (fault <= 0 || result != 0) return result;
  errno = fault;
  return -1;
}

// Those with a mode or an argument that is not always there.
#define OPENS(name, counted)                              \
  EXPORTED int name(const char* path, int flags, ...) {   \
    REAL(name);                                           \
    va_list more;                                         \
    va_start(more, flags);                                \
    const mode_t mode = va_arg(more, mode_t);             \
    va_end(more);                                         \
    return fails(counted) ? -1 : real(path, flags, mode); \
  }
OPENS(open, "open")
OPENS(open64, "open")

#define OPENS_AT(name, counted)                                     \
  EXPORTED int name(int folder, const char* path, int flags, ...) { \
    REAL(name);                                                     \
    va_list more;                                                   \
    va_start(more, flags);                                          \
    const mode_t mode = va_arg(more, mode_t);                       \
    va_end(more);                                                   \
    return fails(counted) ? -1 : real(folder, path, flags, mode);   \
  }
OPENS_AT(openat, "openat")
OPENS_AT(openat64, "openat")

#define WITH_ARGUMENT(name, counted, request_type, may_fail) \
  EXPORTED int name(int fd, request_type request, ...) {     \
    REAL(name);                                              \
    va_list more;                                            \
    va_start(more, request);                                 \
    void* const argument = va_arg(more, void*);              \
    va_end(more);                                            \
    if ((may_fail) && fails(counted)) return -1;             \
    return real(fd, request, argument);                      \
  }
// Others only look at flags or set them.
#define DUPLICATES (request == F_DUPFD || request == F_DUPFD_CLOEXEC)
WITH_ARGUMENT(fcntl, "fcntl", int, DUPLICATES)
WITH_ARGUMENT(fcntl64, "fcntl", int, DUPLICATES)
// Whether a descriptor waits can always be set.
WITH_ARGUMENT(ioctl, "ioctl", unsigned long, request != FIONBIO)

// As the kernel gives a message of no bytes or one.
static long move_message(__typeof__(&syscall) real, const long* given, long number, int fault) {
  struct mmsghdr* const message = (struct mmsghdr*)given[1];
  struct iovec* const part = message->msg_hdr.msg_iov;
  const size_t size = part->iov_len;
  if (fault == kSweepEnd) {
    message->msg_len = 0;
    return 1;
  }
  if (fault == kSweepShort && size > 1) part->iov_len = 1;
  const long result = real(number, given[0], given[1], given[2], given[3], given[4], given[5]);
  part->iov_len = size;
  return result;
}

static const char* name_of(long number) {
  switch (number) {
    case SYS_recvmmsg:
      return "recvmmsg";
    case SYS_sendmmsg:
      return "sendmmsg";
    case SYS_pidfd_open:
      return "pidfd_open";
    case SYS_pidfd_send_signal:
      return "pidfd_send_signal";
    default:
      return NULL;  // the locks of the standard library, which may not fail
  }
}

EXPORTED long syscall(long number, ...) {
  REAL(syscall);
  long given[6];
  va_list more;
  va_start(more, number);
  for (int place = 0; place < 6; ++place) given[place] = va_arg(more, long);
  va_end(more);
  const char* const name = name_of(number);
  const int fault = name == NULL ? 0 : fault_of(name);
  if (fault > 0) {
    if (number == SYS_recvmmsg || number == SYS_sendmmsg) cut_off((int)given[0], fault);
    errno = fault;
    return -1;
  }
  if (fault < 0) return move_message(real, given, number, fault);
  return real(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

FAILS_AS(NULL, "fopen", FILE*, fopen, (const char* path, const char* mode), (path, mode))
FAILS_AS(NULL, "fopen", FILE*, fopen64, (const char* path, const char* mode), (path, mode))
FAILS_AS(NULL, "opendir", DIR*, opendir, (const char* path), (path))
FAILS_AS(MAP_FAILED, "mmap", void*, mmap,
         (void* at, size_t size, int protection, int flags, int fd, off_t offset),
         (at, size, protection, flags, fd, offset))
FAILS_AS(MAP_FAILED, "mmap", void*, mmap64,
         (void* at, size_t size, int protection, int flags, int fd, off64_t offset),
         (at, size, protection, flags, fd, offset))
FAILS_AS(-1, "stat", int, stat, (const char* path, struct stat* info), (path, info))
FAILS_AS(-1, "stat", int, stat64, (const char* path, struct stat64* info), (path, info))
FAILS_AS(-1, "stat", int, lstat64, (const char* path, struct stat64* info), (path, info))
FAILS_AS(-1, "fstat", int, fstat, (int fd, struct stat* info), (fd, info))
FAILS_AS(-1, "fstat", int, fstat64, (int fd, struct stat64* info), (fd, info))
FAILS_AS(-1, "ftruncate", int, ftruncate64, (int fd, off64_t size), (fd, size))

FAILS(int, accept, (int fd, __SOCKADDR_ARG from, socklen_t* length), (fd, from, length))
FAILS(int, accept4, (int fd, __SOCKADDR_ARG from, socklen_t* length, int flags),
      (fd, from, length, flags))
FAILS(int, access, (const char* path, int mode), (path, mode))
FAILS(int, bind, (int fd, __CONST_SOCKADDR_ARG to, socklen_t length), (fd, to, length))
FAILS(int, chmod, (const char* path, mode_t mode), (path, mode))
FAILS(int, chown, (const char* path, uid_t owner, gid_t group), (path, owner, group))
FAILS(int, connect, (int fd, __CONST_SOCKADDR_ARG to, socklen_t length), (fd, to, length))
FAILS(int, dup2, (int from, int to), (from, to))
FAILS(int, dup3, (int from, int to, int flags), (from, to, flags))
FAILS(int, epoll_create1, (int flags), (flags))
FAILS(int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event* event),
      (epoll, what, fd, event))
FAILS(int, epoll_wait, (int epoll, struct epoll_event* events, int most, int timeout),
      (epoll, events, most, timeout))
FAILS(int, eventfd, (unsigned value, int flags), (value, flags))
FAILS(int, execve, (const char* path, char* const* arguments, char* const* environment),
      (path, arguments, environment))
FAILS(int, faccessat, (int folder, const char* path, int mode, int flags),
      (folder, path, mode, flags))
FAILS(int, fchmod, (int fd, mode_t mode), (fd, mode))
FAILS(int, flock, (int fd, int operation), (fd, operation))
FAILS(int, fsync, (int fd), (fd))
FAILS(int, getpeername, (int fd, __SOCKADDR_ARG peer, socklen_t* length), (fd, peer, length))
FAILS(int, getsockname, (int fd, __SOCKADDR_ARG name, socklen_t* length), (fd, name, length))
// What a kernel may not know; the others are there since Linux 2.
EXPORTED int getsockopt(int fd, int level, int option, void* value, socklen_t* length) {
  REAL(getsockopt);
  enum { kPeerPidfd = 77 };
  if ((option == SO_PEERGROUPS || option == kPeerPidfd) && fails("getsockopt")) return -1;
  return real(fd, level, option, value, length);
}
FAILS(ssize_t, getrandom, (void* room, size_t size, unsigned flags), (room, size, flags))
FAILS(int, listen, (int fd, int most), (fd, most))
FAILS(int, memfd_create, (const char* name, unsigned flags), (name, flags))
FAILS(int, mkdir, (const char* path, mode_t mode), (path, mode))
FAILS(int, mkostemp64, (char* path, int flags), (path, flags))
FAILS(int, mlock, (const void* memory, size_t size), (memory, size))
FAILS(int, pipe2, (int ends[2], int flags), (ends, flags))
FAILS(int, poll, (struct pollfd * fds, nfds_t size, int timeout), (fds, size, timeout))
FAILS(int, ppoll,
      (struct pollfd * fds, nfds_t size, const struct timespec* time, const sigset_t* mask),
      (fds, size, time, mask))
FAILS(int, rename, (const char* from, const char* to), (from, to))
FAILS(int, renameat, (int folder, const char* from, int to_folder, const char* to),
      (folder, from, to_folder, to))
FAILS(int, setsockopt, (int fd, int level, int option, const void* value, socklen_t length),
      (fd, level, option, value, length))
FAILS(int, shutdown, (int fd, int how), (fd, how))
FAILS(int, signalfd, (int fd, const sigset_t* mask, int flags), (fd, mask, flags))
FAILS(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
FAILS(int, socketpair, (int domain, int type, int protocol, int ends[2]),
      (domain, type, protocol, ends))
FAILS(int, timerfd_create, (int clock, int flags), (clock, flags))
FAILS(int, timerfd_settime,
      (int fd, int flags, const struct itimerspec* time, struct itimerspec* old),
      (fd, flags, time, old))
FAILS(int, timer_create, (clockid_t clock, struct sigevent* event, timer_t* timer),
      (clock, event, timer))
FAILS(int, unlink, (const char* path), (path))
FAILS(int, unlinkat, (int folder, const char* path, int flags), (folder, path, flags))
FAILS(pid_t, waitpid, (pid_t pid, int* status, int options), (pid, status, options))

RETURNS(posix_spawn,
        (pid_t * pid, const char* path, const posix_spawn_file_actions_t* actions,
         const posix_spawnattr_t* attributes, char* const* arguments, char* const* environment),
        (pid, path, actions, attributes, arguments, environment))
RETURNS(posix_spawnp,
        (pid_t * pid, const char* file, const posix_spawn_file_actions_t* actions,
         const posix_spawnattr_t* attributes, char* const* arguments, char* const* environment),
        (pid, file, actions, attributes, arguments, environment))
RETURNS(pthread_create,
        (pthread_t * thread, const pthread_attr_t* attributes, void* (*body)(void*),
         void* argument),
        (thread, attributes, body, argument))
