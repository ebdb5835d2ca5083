#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

#include "client/tbsctl/doctor/node_check.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {
namespace {

namespace fs = std::filesystem;

constexpr std::array kKeepers = {"tpm2-abrmd", "tcsd", "trunksd", "tbsd"};

bool is_process_number(const std::string& name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](unsigned char letter) { return std::isdigit(letter) != 0; });
}

// "tpm0", "tpmrm1"
bool is_tpm_node(const std::string& name) {
  if (!name.starts_with("tpm")) return false;
  return is_process_number(name.substr(name.starts_with("tpmrm") ? 5 : 3));
}

// The entries' names; what cannot be read has none.
std::vector<std::string> names_in(const fs::path& folder, bool& readable) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  readable = !error;
  std::ranges::sort(names);
  return names;
}

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::vector<Node> nodes_in(const std::string& root) {
  std::vector<Node> nodes;
  bool readable = false;
  UserNames users;
  const fs::path folder = root + "/dev";
  for (const std::string& name : names_in(folder, readable)) {
    struct stat info{};
    if (!is_tpm_node(name) || ::stat((folder / name).c_str(), &info) != 0) continue;
    nodes.push_back({"/dev/" + name, info.st_mode & 07777U,
                     users.of(info.st_uid) + ":" + group_name(info.st_gid)});
  }
  return nodes;
}

// The names in the links alone are looked at: to follow a stranger's link may hang.
void add_holders(NodeFacts& facts, const fs::path& process, const std::string& pid) {
  bool readable = false;
  const std::string name = first_line(process / "comm");
  for (const std::string& descriptor : names_in(process / "fd", readable)) {
    std::error_code error;
    const fs::path target = fs::read_symlink(process / "fd" / descriptor, error);
    if (error || target.parent_path() != "/dev" || !is_tpm_node(target.filename())) continue;
    facts.holders.push_back({target, pid, name});
  }
  // One that has just ended is nobody who hides something.
  if (!readable && ::access(process.c_str(), F_OK) == 0) facts.sees_all = false;
  if (std::ranges::find(kKeepers, name) != kKeepers.end()) {
    facts.suspects.push_back({{}, pid, name});
  }
}

}  // namespace

NodeFacts node_facts(const std::string& root, std::optional<std::string> device) {
  NodeFacts facts{.nodes = nodes_in(root), .device = std::move(device)};
  bool readable = false;
  facts.sees_all = true;
  const fs::path processes = root + "/proc";
  for (const std::string& pid : names_in(processes, readable)) {
    if (is_process_number(pid)) add_holders(facts, processes / pid, pid);
  }
  facts.sees_all = facts.sees_all && readable;
  return facts;
}

}  // namespace tbs::ctl
