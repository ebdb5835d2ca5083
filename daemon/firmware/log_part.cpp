#include "daemon/firmware/log_part.h"

#include <cerrno>
#include <cstring>
#include <limits>

#include <fcntl.h>
#include <unistd.h>

#include "proto/limits.h"

namespace tbs::firmware {
namespace {

using proto::Status;

class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }

  // Until there is nothing left or `room` is full; the count, or -1 with errno.
  ssize_t read(proto::Buffer& room, std::uint64_t offset) const {
    std::size_t have = 0;
    while (have < room.size()) {
      const ssize_t count = ::pread(descriptor_, room.data() + have, room.size() - have,
                                    static_cast<off_t>(offset + have));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return -1;
      if (count == 0) break;
      have += static_cast<std::size_t>(count);
    }
    return static_cast<ssize_t>(have);
  }

 private:
  int descriptor_;
};

ReadFailure failure_of(const std::string& path) {
  if (errno == ENOENT || errno == ENOTDIR) return {.status = Status::NoEventLog, .reason = {}};
  const bool denied = errno == EACCES || errno == EPERM;
  return {.status = Status::InternalError,
          .reason = "read the event log " + path + ": " + std::strerror(errno) +
                    (denied ? "; let the daemon's group read it (the udev rules of tbs do)" : "")};
}

}  // namespace

std::expected<LogBytes, ReadFailure> read_log_part(const std::string& path, std::uint64_t offset) {
  if (path.empty() || offset > std::numeric_limits<std::uint32_t>::max()) {
    return std::unexpected(ReadFailure{.status = Status::NoEventLog, .reason = {}});
  }
  const File file(path);
  if (!file.is_open()) return std::unexpected(failure_of(path));
  // One byte more than goes out, which tells whether there is more.
  LogBytes part{.bytes = proto::Buffer(proto::kMaxLogPart + 1)};
  const ssize_t count = file.read(part.bytes, offset);
  if (count < 0) return std::unexpected(failure_of(path));
  if (count == 0 && offset == 0) {
    return std::unexpected(ReadFailure{.status = Status::NoEventLog, .reason = {}});
  }
  part.more = static_cast<std::size_t>(count) == part.bytes.size();
  part.bytes.resize(part.more ? proto::kMaxLogPart : static_cast<std::size_t>(count));
  return part;
}

}  // namespace tbs::firmware
