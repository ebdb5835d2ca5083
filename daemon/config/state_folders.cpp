#include "daemon/config/state_folders.h"

#include <cstring>
#include <variant>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/storage_advice.h"
#include "daemon/device/device_spec.h"

namespace tbs::config {
namespace {

int error_of(const std::string& folder) {
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0) return errno;
  if (!S_ISDIR(info.st_mode)) return ENOTDIR;
  return ::access(folder.c_str(), R_OK | W_OK | X_OK) == 0 ? 0 : errno;
}

void look_at(const char* option, const std::string& folder, std::vector<FolderFinding>& findings) {
  if (folder.empty()) return;
  const int error = error_of(folder);
  if (error == 0 || error == ENOENT) return;
  std::string text = std::string(option) + ": " + folder + ": " + std::strerror(error);
  if (const auto advice = storage_advice(error); !advice.empty()) {
    text += "; " + std::string(advice);
  }
  findings.push_back({.text = std::move(text), .wrong = error == ENOTDIR});
}

}  // namespace

std::vector<FolderFinding> find_unusable_folders(const Config& config) {
  std::vector<FolderFinding> findings;
  look_at("state-dir", config.state_dir, findings);
  const auto device = device::parse_device_spec(config.device);
  if (!device) return findings;
  if (const auto* const embedded = std::get_if<device::EmbeddedSpec>(&*device)) {
    look_at("device", embedded->state_dir, findings);
  }
  return findings;
}

}  // namespace tbs::config
