#include "daemon/server/proc_file.h"

#include <fstream>

namespace tbs::server {
namespace {

// Names in these files are the process's to choose, but the kernel bounds them.
constexpr std::size_t kLongestOfProcess = 16384;

}  // namespace

std::string read_small_file(const std::string& path, std::size_t most) {
  std::ifstream stream(path, std::ios::binary);
  std::string text(most, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

std::string read_of_process(pid_t pid, const char* file) {
  return read_small_file("/proc/" + std::to_string(pid) + "/" + file, kLongestOfProcess);
}

}  // namespace tbs::server
