// The calls of libc that tbsd makes while it is simulated. The linker takes these functions in
// place of libc's, also for the standard library; what is about a descriptor of the real kernel
// goes on to libc. So the daemon's code is what it is in a real process, to the last system call.

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <dlfcn.h>
#include <span>
#include <time.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/sim/kernel/kernel.h"
#include "tests/sim/kernel/socket.h"

namespace {

using namespace tbs::sim;

constexpr Time kClockCost = 50;
constexpr Time kCallCost = 500;
constexpr Time kTransferCost = 2 * kMicrosecond;

constexpr const char* kNode = "/dev/tpm0";
// They take part in nothing; whatever is there on this machine must not be seen.
constexpr const char* kProc = "/proc/";

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// The function of libc.
#define TBS_REAL(name)                                    \
  (*[] {                                                  \
    static auto* const f = real<decltype(::name)>(#name); \
    return f;                                             \
  }())

bool simulated(int descriptor) {
  return current_kernel() != nullptr && Kernel::owns(descriptor);
}

int fail(int error) {
  errno = error;
  return -1;
}

// One call on a file.
template <typename Use>
ssize_t on_file(int descriptor, Time cost, const Use& use) {
  Kernel& kernel = *current_kernel();
  kernel.enter(cost);
  const SharedFile file = kernel.file(descriptor);
  if (file == nullptr) return fail(EBADF);
  const File::Moved moved = use(*file);
  if (!moved) return fail(moved.error());
  return static_cast<ssize_t>(*moved);
}

ssize_t done(ssize_t result) {
  const int error = errno;
  current_kernel()->leave();
  errno = error;
  return result;
}

ssize_t read_file(int descriptor, void* to, size_t size) {
  return done(on_file(descriptor, kTransferCost, [&](File& file) {
    return file.read({static_cast<std::uint8_t*>(to), size});
  }));
}

ssize_t write_file(int descriptor, const void* from, size_t size) {
  return done(on_file(descriptor, kTransferCost, [&](File& file) {
    return file.write({static_cast<const std::uint8_t*>(from), size});
  }));
}

// Of a list the first that has any: as if there were no room, or no more bytes, for the others.
template <typename Move>
ssize_t move_vector(const iovec* parts, size_t count, const Move& move) {
  for (size_t i = 0; i < count; ++i) {
    if (parts[i].iov_len > 0) return move(parts[i].iov_base, parts[i].iov_len);
  }
  return 0;
}

// What the record of the transfer says is there before the call returns, and at a kill, too.
long move_counted(long number, int descriptor, mmsghdr* message) {
  const iovec& part = *message->msg_hdr.msg_iov;
  const ssize_t moved = on_file(descriptor, kTransferCost, [&](File& file) {
    auto* const bytes = static_cast<std::uint8_t*>(part.iov_base);
    return number == SYS_sendmmsg ? file.write({bytes, part.iov_len})
                                  : file.read({bytes, part.iov_len});
  });
  if (moved >= 0) message->msg_len = static_cast<unsigned>(moved);
  return done(moved < 0 ? -1 : 1);
}

int open_file(const char* path, int flags, mode_t mode) {
  if (current_kernel() != nullptr && std::strcmp(path, kNode) == 0) {
    Kernel& kernel = *current_kernel();
    kernel.enter(kCallCost);
    if (kernel.dead()) return fail(EIO);
    const auto node = kernel.open_node();
    if (!node) return fail(node.error());
    return static_cast<int>(done(kernel.open(*node)));
  }
  if (current_kernel() != nullptr && std::strncmp(path, kProc, std::strlen(kProc)) == 0) {
    return fail(ENOENT);
  }
  static auto* const next = real<int(const char*, int, ...)>("open64");
  return next(path, flags, mode);
}

void describe_node(struct stat* to) {
  *to = {};
  to->st_mode = S_IFCHR | 0600;
  to->st_rdev = makedev(Kernel::kNodeMajor, 0);
}

int control_file(int descriptor) {
  current_kernel()->enter(kCallCost);
  if (current_kernel()->file(descriptor) == nullptr) return fail(EBADF);
  return 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* to) noexcept {
  if (current_kernel() == nullptr) return TBS_REAL(clock_gettime)(clock, to);
  World& world = current_kernel()->world();
  world.spend(kClockCost);
  // 2025-01-01, when the machine has run for an hour.
  const Time offset = clock == CLOCK_REALTIME ? 1'735'689'600 * kSecond : 0;
  const Time time = world.now() + offset;
  to->tv_sec = static_cast<time_t>(time / kSecond);
  to->tv_nsec = static_cast<long>(time % kSecond);
  return 0;
}

// Work for helper threads is done at once by the loop (loop/blocking_calls), so that it always ends
// at the same moment.
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                   void* argument) noexcept {
  if (current_kernel() != nullptr) return EAGAIN;
  return TBS_REAL(pthread_create)(thread, attributes, body, argument);
}

// Without one Asio tells epoll when its next timer is due.
int timerfd_create(clockid_t clock, int flags) noexcept {
  if (current_kernel() != nullptr) return fail(ENOSYS);
  return TBS_REAL(timerfd_create)(clock, flags);
}

int epoll_create1(int flags) noexcept {
  if (current_kernel() == nullptr) return TBS_REAL(epoll_create1)(flags);
  return current_kernel()->epoll_create();
}

int epoll_create(int size) noexcept {
  if (current_kernel() == nullptr) return TBS_REAL(epoll_create)(size);
  return current_kernel()->epoll_create();
}

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) noexcept {
  if (!simulated(epoll)) return TBS_REAL(epoll_ctl)(epoll, operation, descriptor, event);
  current_kernel()->enter(kCallCost);
  const int error = current_kernel()->epoll_ctl(epoll, operation, descriptor, event);
  return static_cast<int>(done(error == 0 ? 0 : fail(error)));
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  if (!simulated(epoll)) return TBS_REAL(epoll_wait)(epoll, events, most, timeout);
  const int count = current_kernel()->epoll_wait(
      epoll, std::span(events, static_cast<std::size_t>(most)), timeout);
  return count < 0 ? fail(-count) : count;
}

int eventfd(unsigned value, int flags) noexcept {
  if (current_kernel() == nullptr) return TBS_REAL(eventfd)(value, flags);
  return current_kernel()->open(std::make_shared<EventFile>());
}

int close(int descriptor) {
  if (!simulated(descriptor)) return TBS_REAL(close)(descriptor);
  current_kernel()->enter(kCallCost);
  if (current_kernel()->file(descriptor) == nullptr) return fail(EBADF);
  current_kernel()->close(descriptor);
  return static_cast<int>(done(0));
}

ssize_t read(int descriptor, void* to, size_t size) {
  if (!simulated(descriptor)) return TBS_REAL(read)(descriptor, to, size);
  return read_file(descriptor, to, size);
}

ssize_t write(int descriptor, const void* from, size_t size) {
  if (!simulated(descriptor)) return TBS_REAL(write)(descriptor, from, size);
  return write_file(descriptor, from, size);
}

ssize_t recv(int descriptor, void* to, size_t size, int flags) {
  if (!simulated(descriptor)) return TBS_REAL(recv)(descriptor, to, size, flags);
  return read_file(descriptor, to, size);
}

ssize_t send(int descriptor, const void* from, size_t size, int flags) {
  if (!simulated(descriptor)) return TBS_REAL(send)(descriptor, from, size, flags);
  return write_file(descriptor, from, size);
}

ssize_t recvmsg(int descriptor, msghdr* message, int flags) {
  if (!simulated(descriptor)) return TBS_REAL(recvmsg)(descriptor, message, flags);
  message->msg_flags = 0;
  return move_vector(message->msg_iov, message->msg_iovlen,
                     [&](void* base, size_t size) { return read_file(descriptor, base, size); });
}

ssize_t sendmsg(int descriptor, const msghdr* message, int flags) {
  if (!simulated(descriptor)) return TBS_REAL(sendmsg)(descriptor, message, flags);
  return move_vector(message->msg_iov, message->msg_iovlen,
                     [&](void* base, size_t size) { return write_file(descriptor, base, size); });
}

ssize_t readv(int descriptor, const iovec* parts, int count) {
  if (!simulated(descriptor)) return TBS_REAL(readv)(descriptor, parts, count);
  return move_vector(parts, static_cast<size_t>(count),
                     [&](void* base, size_t size) { return read_file(descriptor, base, size); });
}

ssize_t writev(int descriptor, const iovec* parts, int count) {
  if (!simulated(descriptor)) return TBS_REAL(writev)(descriptor, parts, count);
  return move_vector(parts, static_cast<size_t>(count),
                     [&](void* base, size_t size) { return write_file(descriptor, base, size); });
}

int shutdown(int descriptor, int how) noexcept {
  if (!simulated(descriptor)) return TBS_REAL(shutdown)(descriptor, how);
  return static_cast<int>(on_file(descriptor, kCallCost, [](File& file) -> File::Moved {
    file.shut_down();
    return 0;
  }));
}

int poll(pollfd* states, nfds_t count, int timeout) {
  // The header says that it only writes there, and the compiler believes it.
  asm volatile("" : "+r"(states) : : "memory");
  if (count != 1 || !simulated(states->fd)) return TBS_REAL(poll)(states, count, timeout);
  current_kernel()->enter(kCallCost);
  return current_kernel()->poll(states->fd, states->events, &states->revents, timeout);
}

int getsockopt(int descriptor, int level, int option, void* value, socklen_t* size) noexcept {
  if (!simulated(descriptor)) {
    return TBS_REAL(getsockopt)(descriptor, level, option, value, size);
  }
  current_kernel()->enter(kCallCost);
  const SharedFile file = current_kernel()->file(descriptor);
  const auto* const socket = dynamic_cast<Socket*>(file.get());
  if (socket == nullptr) return fail(EBADF);
  if (level != SOL_SOCKET || option != SO_PEERCRED || *size < sizeof(ucred)) {
    return fail(ENOPROTOOPT);
  }
  std::memcpy(value, &socket->peer(), sizeof(ucred));
  *size = sizeof(ucred);
  return 0;
}

int ioctl(int descriptor, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (!simulated(descriptor)) {
    static auto* const next = real<int(int, unsigned long, ...)>("ioctl");
    return next(descriptor, request, argument);
  }
  if (const int result = control_file(descriptor); result != 0) return result;
  if (request == FIONREAD) {
    *static_cast<int*>(argument) =
        static_cast<int>(current_kernel()->file(descriptor)->available());
  }
  return 0;
}

int fcntl64(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (!simulated(descriptor)) {
    static auto* const next = real<int(int, int, ...)>("fcntl64");
    return next(descriptor, command, argument);
  }
  return control_file(descriptor);
}

int fstat64(int descriptor, struct stat64* to) noexcept {
  if (!simulated(descriptor)) {
    static auto* const next = real<int(int, struct stat64*)>("fstat64");
    return next(descriptor, to);
  }
  if (const int result = control_file(descriptor); result != 0) return result;
  describe_node(reinterpret_cast<struct stat*>(to));
  return 0;
}

int stat64(const char* path, struct stat64* to) noexcept {
  if (current_kernel() == nullptr || std::strcmp(path, kNode) != 0) {
    static auto* const next = real<int(const char*, struct stat64*)>("stat64");
    return next(path, to);
  }
  describe_node(reinterpret_cast<struct stat*>(to));
  return 0;
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  return open_file(path, flags, mode);
}

int __open64_2(const char* path, int flags) {
  return open_file(path, flags, 0);
}

ssize_t getrandom(void* to, size_t size, unsigned flags) {
  if (current_kernel() == nullptr) return TBS_REAL(getrandom)(to, size, flags);
  auto* const bytes = static_cast<std::uint8_t*>(to);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(current_kernel()->world().random.next());
  }
  return static_cast<ssize_t>(size);
}

long syscall(long number, ...) noexcept {
  va_list arguments;
  va_start(arguments, number);
  long values[6];
  for (long& value : values) value = va_arg(arguments, long);
  va_end(arguments);
  const bool moves = number == SYS_sendmmsg || number == SYS_recvmmsg;
  if (moves && simulated(static_cast<int>(values[0]))) {
    return move_counted(number, static_cast<int>(values[0]), reinterpret_cast<mmsghdr*>(values[1]));
  }
  static auto* const next = real<long(long, ...)>("syscall");
  return next(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

}  // extern "C"
