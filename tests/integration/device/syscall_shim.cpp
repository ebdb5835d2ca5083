#include "tests/integration/device/syscall_shim.h"

#include <atomic>
#include <utility>

#include <errno.h>
#include <unistd.h>

extern "C" {
// NOLINTBEGIN: names that the linker's --wrap asks for
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

ssize_t __wrap_write(int descriptor, const void* buffer, size_t size) {
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
}

void SyscallShim::fail_next_read(int error) {
  read_error = error;
}
void SyscallShim::fail_next_write(int error) {
  write_error = error;
}
void SyscallShim::before_close(std::function<void()> call) {
  close_call = std::move(call);
}

}  // namespace tbs::test
