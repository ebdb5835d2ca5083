#include "client/tbsctl/metrics/text_file.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/descriptor.h"

namespace tbs::ctl {
namespace {

constexpr mode_t kReadByAll = 0644;

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

Failure not_written(const std::string& path, int error) {
  return {.exit = Exit::Failed, .message = "cannot write " + path + ": " + std::strerror(error)};
}

}  // namespace

// The new one lies beside the old one until it is complete: only within one file system is a file
// replaced in one step.
Outcome replace_file(const std::string& path, std::string_view text) {
  std::string beside = path + ".XXXXXX";
  const auto file =
      client::Descriptor::open([&beside] { return ::mkostemp(beside.data(), O_CLOEXEC); });
  if (!file.valid()) return std::unexpected(not_written(path, errno));
  const bool written = write_all(file.get(), text) && ::fchmod(file.get(), kReadByAll) == 0 &&
                       ::fsync(file.get()) == 0 && ::rename(beside.c_str(), path.c_str()) == 0;
  if (written) return {};
  const int error = errno;
  ::unlink(beside.c_str());
  return std::unexpected(not_written(path, error));
}

}  // namespace tbs::ctl
