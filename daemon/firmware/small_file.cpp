#include "daemon/firmware/small_file.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace tbs::firmware {
namespace {

constexpr std::size_t kMaxSize = 65536;

std::expected<std::string, int> read_all(int file) {
  std::string text(kMaxSize + 1, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t count = ::read(file, text.data() + have, text.size() - have);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(errno);
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  if (have > kMaxSize) return std::unexpected(EFBIG);
  text.resize(have);
  return text;
}

}  // namespace

std::expected<std::string, int> read_small_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(errno);
  auto text = read_all(file);
  ::close(file);
  return text;
}

}  // namespace tbs::firmware
