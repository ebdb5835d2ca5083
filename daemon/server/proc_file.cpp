#include "daemon/server/proc_file.h"

#include <algorithm>
#include <array>
#include <fstream>

namespace tbs::server {
namespace {

// Names in these files are the process's to choose, but the kernel bounds them.
constexpr std::size_t kLongestOfProcess = 16384;

}  // namespace

std::string read_small_file(const std::string& path, std::size_t most) {
  std::ifstream stream(path, std::ios::binary);
  std::string text;
  std::array<char, 4096> piece{};
  while (stream && text.size() < most) {
    stream.read(piece.data(),
                static_cast<std::streamsize>(std::min(piece.size(), most - text.size())));
    text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
  }
  return text;
}

std::string read_of_process(pid_t pid, const char* file) {
  return read_small_file("/proc/" + std::to_string(pid) + "/" + file, kLongestOfProcess);
}

}  // namespace tbs::server
