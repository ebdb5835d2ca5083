#include "client/tbsctl/text/input_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <memory>
#include <system_error>

namespace tbs::ctl {
namespace {

constexpr std::size_t kReadAtOnce = 65536;

std::unexpected<Failure> unreadable(const std::string& name, const std::string& why) {
  return std::unexpected(
      Failure{.exit = Exit::Failed, .message = "cannot read " + name + ": " + why});
}

// Of the last call that failed.
std::string reason() {
  if (errno == EISDIR) return "it is a folder";
  return errno == ENOTDIR ? "it is no folder" : std::generic_category().message(errno);
}

std::expected<proto::Buffer, Failure> read_all(std::FILE* file, const std::string& name,
                                               std::size_t most) {
  proto::Buffer content;
  std::array<std::uint8_t, kReadAtOnce> piece;
  while (std::feof(file) == 0) {
    const std::size_t count = std::fread(piece.data(), 1, piece.size(), file);
    if (std::ferror(file) != 0) return unreadable(name, reason());
    content.insert(content.end(), piece.begin(), piece.begin() + count);
    if (content.size() > most) {
      return unreadable(name, "it has more than " + std::to_string(most) + " bytes");
    }
  }
  return content;
}

}  // namespace

std::expected<proto::Buffer, Failure> read_input_file(const std::string& path, std::size_t most) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             std::fclose);
  return file ? read_all(file.get(), path, most) : unreadable(path, reason());
}

std::expected<proto::Buffer, Failure> read_standard_input(std::size_t most) {
  return read_all(stdin, "standard input", most);
}

std::expected<void, Failure> check_folder(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return unreadable(path, reason());
  return {};
}

}  // namespace tbs::ctl
