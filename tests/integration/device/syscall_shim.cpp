#include "tests/integration/device/syscall_shim.h"

#include <atomic>
#include <cstdarg>
#include <mutex>
#include <utility>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

extern "C" {
// NOLINTBEGIN: names that the linker's --wrap asks for
int __real_open64(const char* path, int flags, ...);
int __wrap_open64(const char* path, int flags, ...);
ssize_t __real_read(int descriptor, void* buffer, size_t size);
ssize_t __real_write(int descriptor, const void* buffer, size_t size);
int __real_close(int descriptor);
ssize_t __wrap_read(int descriptor, void* buffer, size_t size);
ssize_t __wrap_write(int descriptor, const void* buffer, size_t size);
int __wrap_close(int descriptor);
// NOLINTEND
}

namespace {

std::atomic<int> watched{-1};
std::atomic<int> read_error{0};
std::atomic<int> write_error{0};
std::function<void()> close_call;

// A file that fails, in one of two ways.
struct File {
  std::string path;
  int open_error = 0;
  int write_error = 0;
  int descriptor = -1;
};
std::mutex file_mutex;
File file;

bool fails(int descriptor, std::atomic<int>& error) {
  if (descriptor != watched.load()) return false;
  const int code = error.exchange(0);
  if (code != 0) errno = code;
  return code != 0;
}

}  // namespace

ssize_t __wrap_read(int descriptor, void* buffer, size_t size) {
  return fails(descriptor, read_error) ? -1 : __real_read(descriptor, buffer, size);
}

int __wrap_open64(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : mode_t{0};
  va_end(arguments);
  bool chosen = false;
  {
    const std::lock_guard lock(file_mutex);
    chosen = !file.path.empty() && file.path == path;
    if (chosen && file.open_error != 0) {
      errno = file.open_error;
      return -1;
    }
  }
  // Without the lock: it may block.
  const int descriptor = __real_open64(path, flags, mode);
  if (!chosen) return descriptor;
  const std::lock_guard lock(file_mutex);
  file.descriptor = descriptor;
  return descriptor;
}

ssize_t __wrap_write(int descriptor, const void* buffer, size_t size) {
  {
    const std::lock_guard lock(file_mutex);
    if (file.write_error != 0 && descriptor == file.descriptor) {
      errno = file.write_error;
      return -1;
    }
  }
  return fails(descriptor, write_error) ? -1 : __real_write(descriptor, buffer, size);
}

int __wrap_close(int descriptor) {
  if (descriptor == watched.load() && close_call) std::exchange(close_call, nullptr)();
  return __real_close(descriptor);
}

namespace tbs::test {

SyscallShim::SyscallShim(int descriptor) {
  watched = descriptor;
}

SyscallShim::~SyscallShim() {
  watched = -1;
  read_error = 0;
  write_error = 0;
  close_call = nullptr;
  const std::lock_guard lock(file_mutex);
  file = {};
}

void SyscallShim::fail_next_read(int error) {
  read_error = error;
}
void SyscallShim::fail_next_write(int error) {
  write_error = error;
}
void SyscallShim::fail_open(const std::string& path, int error) {
  const std::lock_guard lock(file_mutex);
  file = {.path = path, .open_error = error};
}
void SyscallShim::fail_write_to(const std::string& path, int error) {
  const std::lock_guard lock(file_mutex);
  file = {.path = path, .write_error = error};
}
void SyscallShim::before_close(std::function<void()> call) {
  close_call = std::move(call);
}

}  // namespace tbs::test
