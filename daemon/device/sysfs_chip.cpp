#include "daemon/device/sysfs_chip.h"

#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/device/interface_type.h"

namespace tbs::device {
namespace {

namespace fs = std::filesystem;

std::string link_name(const fs::path& link) {
  std::error_code error;
  const fs::path target = fs::read_symlink(link, error);
  return error ? std::string() : target.filename().string();
}

bool contains(std::string_view text, std::string_view word) {
  return text.find(word) != text.npos;
}

InterfaceType interface_of(const std::string& driver, bool is_virtual) {
  if (contains(driver, "vtpm") || (driver.empty() && is_virtual)) return kEmulator;
  if (driver.empty()) return kUnknown;
  if (contains(driver, "ftpm")) return kTrustZone;
  if (contains(driver, "spi") || contains(driver, "i2c")) return kSerialBus;
  if (driver.starts_with("tpm_tis") || driver.starts_with("tpm_crb")) return kPortOrMemory;
  return kOtherHardware;
}

std::optional<Family> family_of(const fs::path& chip) {
  // Nodes of the kernel's resource manager exist for TPM 2.0 alone and have no version attribute.
  if (link_name(chip / "subsystem") == "tpmrm") return Family::Tpm20;
  std::ifstream file(chip / "tpm_version_major");
  int version = 0;
  file >> version;
  if (version == 1) return Family::Tpm12;
  if (version == 2) return Family::Tpm20;
  // Kernels before 5.6 have no such attribute, and this one for TPM 1.2 alone.
  std::error_code error;
  return fs::exists(chip / "caps", error) ? std::optional(Family::Tpm12) : std::nullopt;
}

}  // namespace

ChipFacts read_chip_facts(dev_t number, const std::string& sysfs) {
  const std::string device = std::to_string(major(number)) + ":" + std::to_string(minor(number));
  std::error_code error;
  const fs::path chip = fs::canonical(fs::path(sysfs) / "dev/char" / device, error);
  if (error) return {};
  ChipFacts facts;
  facts.family = family_of(chip);
  facts.interface_type =
      interface_of(link_name(chip / "device/driver"), contains(chip.native(), "/devices/virtual/"));
  const fs::path cancel = chip / "cancel";
  if (fs::exists(cancel, error)) facts.cancel_path = cancel;
  return facts;
}

int write_cancel(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  const int error = ::write(file, "1", 1) == 1 ? 0 : errno;
  ::close(file);
  return error;
}

}  // namespace tbs::device
