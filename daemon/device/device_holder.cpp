#include "daemon/device/device_holder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace tbs::device {
namespace {

namespace fs = std::filesystem;

// Daemons that keep the device open as long as they run, by the names that processes have.
constexpr std::array kDaemons = {"tpm2-abrmd", "tbsd", "tcsd", "trunksd"};

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

std::string list_of(const std::vector<Holder>& holders) {
  std::string text;
  for (const Holder& holder : holders) {
    if (!text.empty()) text += ", ";
    text += holder.name + " (pid " + holder.pid + ")";
  }
  return text;
}

}  // namespace

Holders find_holders(dev_t number, const std::string& proc) {
  Holders holders;
  const std::string self = std::to_string(::getpid());
  std::error_code error;
  for (fs::directory_iterator entry(proc, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& process = entry->path();
    if (!is_process(process)) continue;
    Holder holder{.name = name_of(process), .pid = process.filename()};
    if (holds(process, number)) {
      holders.found.push_back(std::move(holder));
    } else if (holder.pid != self && std::ranges::find(kDaemons, holder.name) != kDaemons.end()) {
      holders.suspects.push_back(std::move(holder));
    }
  }
  if (!holders.found.empty()) holders.suspects.clear();
  return holders;
}

std::string holder_advice(const Holders& holders) {
  if (!holders.found.empty()) {
    return "held by " + list_of(holders.found) + "; stop it, or let it use tbsd";
  }
  const std::string suspects =
      holders.suspects.empty() ? "" : ", perhaps " + list_of(holders.suspects);
  return "another process holds it" + suspects +
         "; fuser -v, run as root, names it. Stop it, or let it use tbsd";
}

}  // namespace tbs::device
