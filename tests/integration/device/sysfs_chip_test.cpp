// What is read of a chip, against trees as the kernel lays them out.

#include "daemon/device/sysfs_chip.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tests/integration/device/temp_dir.h"
#include "tests/support/catch2.h"

using namespace tbs::device;
using tbs::Family;
using tbs::test::TempDir;

namespace {

namespace fs = std::filesystem;

struct Sysfs {
  // A chip at `where` below devices/, as character device 10:224.
  explicit Sysfs(const std::string& where, const std::string& node_class = "tpm")
      : chip(dir.path() / "devices" / where / node_class / (node_class + "0")) {
    fs::create_directories(chip);
    fs::create_directories(dir.path() / "class" / node_class);
    fs::create_directories(dir.path() / "dev/char");
    fs::create_directory_symlink(chip, dir.path() / "dev/char/10:224");
    fs::create_directory_symlink(dir.path() / "class" / node_class, chip / "subsystem");
  }

  void driver(const std::string& name) {
    const fs::path hardware = chip.parent_path().parent_path();
    fs::create_directories(dir.path() / "bus/drivers" / name);
    fs::create_directory_symlink(dir.path() / "bus/drivers" / name, hardware / "driver");
    fs::create_directory_symlink(hardware, chip / "device");
  }

  void attribute(const std::string& name, const std::string& value) {
    std::ofstream(chip / name) << value;
  }

  [[nodiscard]] ChipFacts read() const { return read_chip_facts(makedev(10, 224), dir.path()); }

  TempDir dir;
  fs::path chip;
};

}  // namespace

TEST_CASE("sysfs: the family comes from the version attribute") {
  Sysfs sysfs("platform/MSFT0101:00");
  CHECK(sysfs.read().family == std::nullopt);
  sysfs.attribute("tpm_version_major", "2\n");
  CHECK(sysfs.read().family == Family::Tpm20);
  sysfs.attribute("tpm_version_major", "1\n");
  CHECK(sysfs.read().family == Family::Tpm12);
  sysfs.attribute("tpm_version_major", "rubbish\n");
  CHECK(sysfs.read().family == std::nullopt);
}

TEST_CASE("sysfs: an old kernel's TPM 1.2 is known by its other attributes") {
  Sysfs sysfs("platform/MSFT0101:00");
  sysfs.attribute("caps", "Manufacturer: 0x49465800\n");
  CHECK(sysfs.read().family == Family::Tpm12);
}

TEST_CASE("sysfs: nodes of the kernel's resource manager are TPM 2.0") {
  const Sysfs sysfs("platform/MSFT0101:00", "tpmrm");
  CHECK(sysfs.read().family == Family::Tpm20);
}

TEST_CASE("sysfs: the driver tells how the chip is attached") {
  const auto [driver, type] = GENERATE(table<std::string, std::uint32_t>({
      {"tpm_tis", 1},
      {"tpm_crb", 1},
      {"tpm_ftpm_tee", 2},
      {"optee-ftpm", 2},
      {"tpm_nsc", 3},
      {"tpm_ibmvtpm", 4},
      {"tpm_tis_spi", 5},
      {"tpm_tis_i2c", 5},
      {"cr50_i2c", 5},
      {"st33zp24-spi", 5},
  }));
  CAPTURE(driver);
  Sysfs sysfs("platform/MSFT0101:00");
  sysfs.driver(driver);
  CHECK(sysfs.read().interface_type == type);
}

TEST_CASE("sysfs: a chip without a driver is emulated where it is virtual, else unknown") {
  CHECK(Sysfs("virtual").read().interface_type == 4);
  CHECK(Sysfs("platform/x").read().interface_type == 0);
}

TEST_CASE("sysfs: the cancel attribute is found where it exists, and written") {
  Sysfs sysfs("platform/MSFT0101:00");
  CHECK(sysfs.read().cancel_path.empty());
  sysfs.attribute("cancel", "");
  const std::string path = sysfs.read().cancel_path;
  REQUIRE(path == fs::canonical(sysfs.chip / "cancel"));
  CHECK(write_cancel(path) == 0);
  CHECK(fs::file_size(path) == 1);
  CHECK(write_cancel(sysfs.dir.path()) == EISDIR);
}

TEST_CASE("sysfs: a node that sysfs does not know has no facts") {
  const Sysfs sysfs("platform/x");
  const ChipFacts facts = read_chip_facts(makedev(10, 225), sysfs.dir.path());
  CHECK(facts.family == std::nullopt);
  CHECK(facts.interface_type == 0);
  CHECK(facts.cancel_path.empty());
}
