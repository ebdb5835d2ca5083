#include "daemon/firmware/owner_auth.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/limits.h"

namespace tbs::firmware {
namespace {

using proto::Status;

std::unexpected<ReadFailure> not_found(std::string reason = {}) {
  return std::unexpected(ReadFailure{Status::OwnerAuthNotFound, std::move(reason)});
}

// What is wrong with the file; empty when it can be trusted.
std::string fault_of(const struct stat& facts) {
  if (!S_ISREG(facts.st_mode)) return "is not a file";
  if (facts.st_uid != 0 && facts.st_uid != ::geteuid()) return "belongs to another user";
  if ((facts.st_mode & 077) != 0) return "can be used by others than its owner (chmod 600)";
  if (facts.st_size == 0) return "is empty";
  if (facts.st_size > proto::kMaxOwnerAuth) return "is longer than 64 bytes";
  return {};
}

std::expected<proto::Buffer, ReadFailure> read_value(int file, const std::string& path) {
  struct stat facts{};
  if (::fstat(file, &facts) != 0) return not_found(path + ": " + std::strerror(errno));
  if (const std::string fault = fault_of(facts); !fault.empty()) {
    return not_found(path + " " + fault + " and is not used");
  }
  proto::Buffer value(static_cast<std::size_t>(facts.st_size));
  const ssize_t count = ::read(file, value.data(), value.size());
  if (count != facts.st_size) return not_found(path + " cannot be read");
  return value;
}

}  // namespace

std::expected<proto::Buffer, ReadFailure> read_owner_auth(const std::string& folder,
                                                          std::string_view name) {
  const std::string path = folder + "/" + std::string(name);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0 && errno == ENOENT) return not_found();
  if (file < 0) return not_found("open " + path + ": " + std::strerror(errno));
  auto value = read_value(file, path);
  ::close(file);
  return value;
}

}  // namespace tbs::firmware
