#include "daemon/state_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include "daemon/host/limited_log.h"

namespace tbs {
namespace {

constexpr std::size_t kMostRead = std::size_t{1} << 20;

bool write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return ::fsync(fd) == 0;
}

// Either the old text or the new one is there, whatever happens meanwhile.
bool replace(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written = write_all(fd, text);
  return ::close(fd) == 0 && written && std::rename(fresh.c_str(), path.c_str()) == 0;
}

void replace_or_complain(const std::string& path, const std::string& text) {
  if (replace(path, text)) return;
  host::log_limited(
      spdlog::level::warn, host::Topic::StateFile,
      fmt::format("cannot write {}: {}; what it holds is forgotten at the next restart", path,
                  std::strerror(errno)));
}

}  // namespace

StateFile::StateFile(boost::asio::io_context& loop, std::string path)
    : path_(std::move(path)),
      writes_(loop, loop::BlockingCalls::Order::NewestOnly, loop::BlockingCalls::AtEnd::Finish) {}

std::string StateFile::read() const {
  std::ifstream file(path_, std::ios::binary);
  std::string text(kMostRead, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

void StateFile::write(std::string text) {
  if (path_.empty()) return;
  writes_.run([path = path_, text = std::move(text)] { replace_or_complain(path, text); });
}

}  // namespace tbs
