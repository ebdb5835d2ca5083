#include "daemon/firmware/firmware_paths.h"

#include <filesystem>
#include <optional>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "daemon/device/device_spec.h"
#include "daemon/device/find_tpm.h"

namespace tbs::firmware {
namespace {

namespace fs = std::filesystem;

// "tpm0": of the chip behind a node, also of the node of the kernel's resource manager, "tpmrm0".
std::optional<std::string> chip_of(const std::string& device, const std::string& sysfs) {
  const auto spec = device::parse_device_spec(device);
  const auto* const character = spec ? std::get_if<device::CharSpec>(&*spec) : nullptr;
  if (character == nullptr) return std::nullopt;
  const std::string path = character->path.empty() ? device::find_tpm(sysfs) : character->path;
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISCHR(facts.st_mode)) return std::nullopt;
  const std::string number =
      std::to_string(major(facts.st_rdev)) + ":" + std::to_string(minor(facts.st_rdev));
  std::error_code error;
  const fs::path node = fs::canonical(fs::path(sysfs) / "dev/char" / number, error);
  if (error) return std::nullopt;
  const std::string name = node.filename();
  return name.starts_with("tpmrm") ? "tpm" + name.substr(5) : name;
}

std::string choose(const std::string& option, const std::string& found) {
  if (option == "none") return {};
  return option == "auto" ? found : option;
}

}  // namespace

FirmwarePaths find_places(const PlaceOptions& options, const std::string& sysfs) {
  FirmwarePaths found;
  if (options.event_log == "auto" || options.presence == "auto") {
    if (const auto chip = chip_of(options.device, sysfs)) {
      found.event_log = sysfs + "/kernel/security/" + *chip + "/binary_bios_measurements";
      found.presence = sysfs + "/class/tpm/" + *chip + "/ppi";
    }
  }
  return {.event_log = choose(options.event_log, found.event_log),
          .presence = choose(options.presence, found.presence)};
}

}  // namespace tbs::firmware
