#include "daemon/device/embedded/state_folder.h"

#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/storage_advice.h"

namespace tbs::device::embedded {
namespace {

constexpr std::size_t kMaxBlob = 16U << 20;
constexpr int kLockAttempts = 20;
constexpr std::chrono::milliseconds kLockPause{50};

bool write_all(int file, std::span<const std::uint8_t> data) {
  while (!data.empty()) {
    const ssize_t count = ::write(file, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool read_all(int file, std::span<std::uint8_t> data) {
  while (!data.empty()) {
    const ssize_t count = ::read(file, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) errno = EIO;
    if (count <= 0) return false;
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

// Closes without losing the errno of what failed before.
void close_quietly(int file) {
  const int saved_errno = errno;
  ::close(file);
  errno = saved_errno;
}

}  // namespace

std::expected<StateFolder, std::string> StateFolder::open(const std::string& path,
                                                          std::string_view prefix, bool durable) {
  StateFolder state(path, prefix, durable);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return state.failure("create", "");
  state.folder_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (state.folder_ < 0) return state.failure("open", "");
  struct stat info{};
  if (::fstat(state.folder_, &info) != 0) return state.failure("inspect", "");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return std::unexpected("the state folder " + path +
                           " can be written by others than its owner\nchmod go-w it");
  }
  if (auto locked = state.lock(); !locked) return std::unexpected(locked.error());
  return state;
}

StateFolder::StateFolder(StateFolder&& other) noexcept
    : path_(std::move(other.path_)),
      prefix_(std::move(other.prefix_)),
      durable_(other.durable_),
      folder_(std::exchange(other.folder_, -1)),
      lock_(std::exchange(other.lock_, -1)) {}

StateFolder::~StateFolder() {
  if (lock_ >= 0) ::close(lock_);
  if (folder_ >= 0) ::close(folder_);
}

std::expected<void, std::string> StateFolder::lock() {
  const std::string name = file_name("lock");
  lock_ = ::openat(folder_, name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_ < 0) return failure("open", name);
  for (int attempt = 0; attempt < kLockAttempts; ++attempt) {
    if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return {};
    if (errno != EWOULDBLOCK && errno != EINTR) return failure("lock", name);
    std::this_thread::sleep_for(kLockPause);
  }
  return std::unexpected("the state folder " + path_ +
                         " is in use by another embedded TPM\nname another folder, or stop the "
                         "tbsd that uses it");
}

std::expected<std::optional<std::vector<std::uint8_t>>, std::string> StateFolder::load(
    std::string_view name) const {
  const std::string file = file_name(name);
  const int source = ::openat(folder_, file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (source < 0 && errno == ENOENT) return std::nullopt;
  if (source < 0) return failure("open", file);
  struct stat info{};
  std::vector<std::uint8_t> data;
  bool good = ::fstat(source, &info) == 0;
  if (good && (!S_ISREG(info.st_mode) || static_cast<std::size_t>(info.st_size) > kMaxBlob)) {
    errno = EFBIG;
    good = false;
  }
  if (good) data.resize(static_cast<std::size_t>(info.st_size));
  good = good && read_all(source, data);
  close_quietly(source);
  if (!good) return failure("read", file);
  return data;
}

std::expected<void, std::string> StateFolder::store(std::string_view name,
                                                    std::span<const std::uint8_t> data) const {
  const std::string file = file_name(name);
  const std::string fresh = file + ".new";
  if (auto written = write_file(fresh, data); !written) return written;
  if (::renameat(folder_, fresh.c_str(), folder_, file.c_str()) != 0)
    return failure("replace", file);
  if (durable_ && ::fsync(folder_) != 0) return failure("sync", "");
  return {};
}

std::expected<void, std::string> StateFolder::write_file(const std::string& file,
                                                         std::span<const std::uint8_t> data) const {
  const int target =
      ::openat(folder_, file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (target < 0) return failure("create", file);
  const bool good = write_all(target, data) && (!durable_ || ::fsync(target) == 0);
  close_quietly(target);
  if (!good) return failure("write", file);
  return {};
}

std::expected<bool, std::string> StateFolder::remove(std::string_view name) const {
  const std::string file = file_name(name);
  if (::unlinkat(folder_, file.c_str(), 0) == 0) {
    if (durable_ && ::fsync(folder_) != 0) return failure("sync", "");
    return true;
  }
  if (errno == ENOENT) return false;
  return failure("remove", file);
}

std::string StateFolder::file_name(std::string_view blob) const {
  return prefix_ + "." + std::string(blob);
}

std::unexpected<std::string> StateFolder::failure(std::string_view verb,
                                                  std::string_view file) const {
  const int error = errno;
  std::string text(verb);
  text += file.empty() ? " the state folder " + path_ : " " + path_ + "/" + std::string(file);
  text += std::string(": ") + std::strerror(error);
  if (const auto advice = storage_advice(error); !advice.empty()) {
    text += "\n" + std::string(advice);
  }
  return std::unexpected(text);
}

}  // namespace tbs::device::embedded
