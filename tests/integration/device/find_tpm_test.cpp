// Which TPM is taken when none was named, against trees as the kernel lays them out.

#include "daemon/device/find_tpm.h"

#include <filesystem>
#include <fstream>

#include "tests/integration/device/temp_dir.h"
#include "tests/support/catch2.h"

using tbs::device::find_tpm;
using tbs::test::TempDir;

namespace {

namespace fs = std::filesystem;

struct Sysfs {
  void chip(const std::string& name, const char* version) const {
    const fs::path folder = dir.path() / "class/tpm" / name;
    fs::create_directories(folder);
    if (version != nullptr) std::ofstream(folder / "tpm_version_major") << version;
  }
  void remove(const std::string& name) const { fs::remove_all(dir.path() / "class/tpm" / name); }
  [[nodiscard]] std::string found() const { return find_tpm(dir.path(), "/dev"); }

  TempDir dir;
};

}  // namespace

TEST_CASE("find: no TPM") {
  const Sysfs sysfs;
  CHECK(sysfs.found().empty());
  fs::create_directories(sysfs.dir.path() / "class/tpm");
  CHECK(sysfs.found().empty());
}

TEST_CASE("find: the lowest number of the newer family") {
  const Sysfs sysfs;
  sysfs.chip("tpm10", nullptr);
  CHECK(sysfs.found() == "/dev/tpm10");
  sysfs.chip("tpm9", "1\n");
  CHECK(sysfs.found() == "/dev/tpm9");
  sysfs.chip("tpm12", "2\n");
  CHECK(sysfs.found() == "/dev/tpm12");
  sysfs.chip("tpm11", "2\n");
  CHECK(sysfs.found() == "/dev/tpm11");
  sysfs.remove("tpm11");
  CHECK(sysfs.found() == "/dev/tpm12");
}

TEST_CASE("find: names that are no TPM's") {
  const Sysfs sysfs;
  for (const char* const name : {"tpm", "tpmrm0", "tpm1x", "xtpm1"}) sysfs.chip(name, "2\n");
  CHECK(sysfs.found().empty());
}
