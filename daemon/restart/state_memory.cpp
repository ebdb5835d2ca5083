#include "daemon/restart/state_memory.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tbs::restart {
namespace {

constexpr int kSeals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
// Of Linux 6.3, and not in the headers of glibc 2.36. Without it kernels may warn or refuse
// (sysctl vm.memfd_noexec).
constexpr unsigned kNoExec = 0x0008U;

std::unexpected<std::string> failure(const char* what) {
  return std::unexpected(std::string(what) + ": " + std::strerror(errno));
}

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t rounded_up(std::size_t size) {
  return (size + page_size() - 1) / page_size() * page_size();
}

int make_memfd(const char* name) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExec);
  if (fd >= 0 || errno != EINVAL) return fd;
  return ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

// Why the descriptor is not what create() makes; nullptr when it is. Only a memfd has these seals:
// another file of a tmpfs has F_SEAL_SEAL from the start, and no other file has seals at all.
const char* fault_of(int descriptor) {
  const int seals = ::fcntl(descriptor, F_GET_SEALS);
  if (seals < 0) return "it is no memory file";
  if ((seals & kSeals) != kSeals) return "its size is not sealed";
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) != O_RDWR) return "it cannot be written";
  return nullptr;
}

std::expected<std::size_t, std::string> size_of(int descriptor) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return failure("its size is not known");
  return static_cast<std::size_t>(status.st_size);
}

std::expected<std::size_t, std::string> adoptable_size(int descriptor, StateMemory::Sizes sizes) {
  if (const char* const fault = fault_of(descriptor)) return std::unexpected(fault);
  const auto size = size_of(descriptor);
  if (!size) return size;
  if (*size < sizes.least || *size > sizes.most || *size % page_size() != 0) {
    return std::unexpected("it has " + std::to_string(*size) + " bytes");
  }
  if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
    return failure("it cannot be made close-on-exec");
  return size;
}

}  // namespace

std::expected<StateMemory, std::string> StateMemory::create(const char* name, std::size_t size) {
  StateMemory memory(make_memfd(name));
  if (memory.descriptor_ < 0) return failure("no memory file can be made");
  const std::size_t whole = rounded_up(size);
  if (::ftruncate(memory.descriptor_, static_cast<off_t>(whole)) != 0) {
    return failure("the memory file cannot be made large enough");
  }
  if (::fcntl(memory.descriptor_, F_ADD_SEALS, kSeals) != 0) {
    return failure("the memory file cannot be sealed");
  }
  if (const auto mapped = memory.map(whole); !mapped) return std::unexpected(mapped.error());
  return memory;
}

std::expected<StateMemory, std::string> StateMemory::adopt(int descriptor, Sizes sizes) {
  StateMemory memory(descriptor);
  const auto size = adoptable_size(descriptor, sizes);
  if (!size) return std::unexpected("the kept memory file is not used: " + size.error());
  if (const auto mapped = memory.map(*size); !mapped) return std::unexpected(mapped.error());
  return memory;
}

StateMemory::~StateMemory() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  if (descriptor_ >= 0) ::close(descriptor_);
}

StateMemory::StateMemory(StateMemory&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), bytes_(std::exchange(other.bytes_, {})) {}

StateMemory& StateMemory::operator=(StateMemory&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

std::expected<void, std::string> StateMemory::reserve(std::span<std::uint8_t> part) {
  int result = 0;
  do {
    result = ::fallocate(descriptor_, 0, static_cast<off_t>(offset_of(part)),
                         static_cast<off_t>(part.size()));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return failure("there is no memory to record the state in");
  return {};
}

std::expected<bool, std::string> StateMemory::pin(std::span<std::uint8_t> part) {
  if (auto reserved = reserve(part); !reserved) return std::unexpected(reserved.error());
  // Mapped to be written; the lock alone would keep that, too, but may be refused.
  const std::size_t begin = offset_of(part) / page_size() * page_size();
  for (std::size_t i = begin; i < offset_of(part) + part.size(); i += page_size()) {
    volatile std::uint8_t& byte = bytes_[i];
    byte = byte;
  }
  return ::mlock(part.data(), part.size()) == 0;
}

void StateMemory::give_back(std::span<std::uint8_t> part) {
  const std::size_t begin = rounded_up(offset_of(part));
  const std::size_t end = (offset_of(part) + part.size()) / page_size() * page_size();
  if (begin < end) (void)::madvise(bytes_.data() + begin, end - begin, MADV_REMOVE);
}

std::expected<void, std::string> StateMemory::map(std::size_t size) {
  void* const address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (address == MAP_FAILED) return failure("the memory file cannot be mapped");
  bytes_ = {static_cast<std::uint8_t*>(address), size};
  return {};
}

std::size_t StateMemory::offset_of(std::span<std::uint8_t> part) const {
  return static_cast<std::size_t>(part.data() - bytes_.data());
}

}  // namespace tbs::restart
