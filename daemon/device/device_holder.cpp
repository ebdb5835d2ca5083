#include "daemon/device/device_holder.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <sys/stat.h>

namespace tbs::device {
namespace {

namespace fs = std::filesystem;

bool is_process(const fs::path& entry) {
  const std::string name = entry.filename();
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char character) {
    return std::isdigit(character) != 0;
  });
}

// The name in the link is looked at first: a stat of a stranger's file may hang on a dead server.
bool is_device(const fs::path& link, dev_t number) {
  std::error_code error;
  const fs::path target = fs::read_symlink(link, error);
  if (error || !target.filename().string().starts_with("tpm")) return false;
  struct stat info{};
  return ::stat(link.c_str(), &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == number;
}

bool holds(const fs::path& process, dev_t number) {
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error)) {
    if (is_device(entry->path(), number)) return true;
  }
  return false;
}

std::string name_of(const fs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  return std::getline(file, name) ? name : "a process";
}

}  // namespace

std::vector<Holder> find_holders(dev_t number, const std::string& proc) {
  std::vector<Holder> holders;
  std::error_code error;
  for (fs::directory_iterator entry(proc, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& process = entry->path();
    if (!is_process(process) || !holds(process, number)) continue;
    holders.push_back({.name = name_of(process), .pid = process.filename()});
  }
  return holders;
}

std::string holder_advice(const std::vector<Holder>& holders) {
  if (holders.empty()) {
    return "another process holds it; fuser -v, run as root, names it. Stop it, or let it use tbsd";
  }
  std::string text = "held by ";
  for (const Holder& holder : holders) {
    if (&holder != &holders.front()) text += ", ";
    text += holder.name + " (pid " + holder.pid + ")";
  }
  return text + "; stop it, or let it use tbsd";
}

}  // namespace tbs::device
