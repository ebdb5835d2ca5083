#include "daemon/state_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include "daemon/base/storage_advice.h"
#include "daemon/host/limited_log.h"

namespace tbs {
namespace {

constexpr std::size_t kMostRead = std::size_t{1} << 20;

int write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    done += static_cast<std::size_t>(count);
  }
  return ::fsync(fd) == 0 ? 0 : errno;
}

// An errno value, or 0.
int write_file(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  const int error = write_all(fd, text);
  if (::close(fd) != 0 && error == 0) return errno;
  return error;
}

std::string fresh_file(const std::string& path) {
  return path + ".new";
}

// Either the old text or the new one is there, whatever happens meanwhile.
int replace(const std::string& path, const std::string& text) {
  const std::string fresh = fresh_file(path);
  if (const int error = write_file(fresh, text); error != 0) return error;
  return std::rename(fresh.c_str(), path.c_str()) == 0 ? 0 : errno;
}

void complain(const std::string& path, int error) {
  if (error == 0) return;
  const std::string_view advice = storage_advice(error);
  host::log_limited(spdlog::level::warn, host::Topic::StateFile,
                    fmt::format("cannot write {}: {}{}{}; until then what it should hold is "
                                "forgotten when tbsd ends",
                                path, std::strerror(error), advice.empty() ? "" : "; ", advice));
}

}  // namespace

StateFile::StateFile(boost::asio::io_context& loop, std::string path)
    : path_(std::move(path)),
      writes_(loop, loop::BlockingCalls::Order::NewestOnly, loop::BlockingCalls::AtEnd::Finish) {}

std::string StateFile::read() const {
  std::ifstream file(path_, std::ios::binary);
  std::string text;
  std::array<char, 4096> piece{};
  while (file && text.size() < kMostRead) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  }
  return text;
}

void StateFile::write(std::string text) {
  if (path_.empty()) return;
  writing_ = true;
  writes_.run([path = path_, text = std::move(text)] { complain(path, replace(path, text)); },
              [this] { wrote(); });
}

void StateFile::wrote() {
  if (writes_.waiting()) return;
  writing_ = false;
  if (const auto done = std::exchange(when_written_, nullptr)) done();
}

void StateFile::when_written(std::function<void()> done) {
  if (!writing_) {
    done();
  } else {
    when_written_ = std::move(done);
  }
}

void StateFile::try_writing() const {
  if (path_.empty()) return;
  const std::string fresh = fresh_file(path_);
  complain(path_, write_file(fresh, "x"));
  ::unlink(fresh.c_str());
}

}  // namespace tbs
