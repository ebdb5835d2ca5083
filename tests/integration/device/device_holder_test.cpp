#include "daemon/device/device_holder.h"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/device/temp_dir.h"
#include "tests/support/catch2.h"

using namespace tbs::device;
using tbs::test::TempDir;

namespace {

namespace fs = std::filesystem;

// A /proc with processes whose descriptors lead to /dev/null by way of a node's name.
struct Proc {
  void process(const std::string& pid, const std::string& name, const std::string& target) {
    fs::create_directories(dir.path() / pid / "fd");
    std::ofstream(dir.path() / pid / "comm") << name << '\n';
    fs::create_symlink("/dev/zero", dir.path() / pid / "fd/0");
    fs::create_symlink(target, dir.path() / pid / "fd/3");
  }

  TempDir dir;
};

dev_t number_of(const char* path) {
  struct stat info{};
  REQUIRE(::stat(path, &info) == 0);
  return info.st_rdev;
}

}  // namespace

TEST_CASE("holder: the process with the device open is found by the device's number") {
  Proc proc;
  const std::string node = proc.dir.file("tpm0");
  const std::string other = proc.dir.file("tpm1");
  fs::create_symlink("/dev/null", node);
  fs::create_symlink("/dev/full", other);
  proc.process("412", "tpm2-abrmd", node);
  proc.process("413", "bystander", "/dev/null");
  proc.process("414", "neighbour", other);
  proc.process("self", "no process", node);
  const auto holders = find_holders(number_of("/dev/null"), proc.dir.path());
  REQUIRE(holders.found.size() == 1);
  CHECK(holder_advice(holders) == "held by tpm2-abrmd (pid 412); stop it, or let it use tbsd");
}

TEST_CASE("holder: nobody is found for a device that nobody has open") {
  const Proc proc;
  CHECK(find_holders(number_of("/dev/null"), proc.dir.path()).found.empty());
  CHECK(find_holders(number_of("/dev/null"), "/nonexistent").found.empty());
  CHECK_THAT(holder_advice({}), Catch::Matchers::ContainsSubstring("another process holds it"));
}

TEST_CASE(
    "holder: of files that may not be looked at, programs that keep a TPM open are suspected") {
  Proc proc;
  proc.process("412", "tpm2-abrmd", "/dev/full");
  proc.process("413", "bystander", "/dev/full");
  proc.process("415", "tcsd", "/dev/full");
  proc.process(std::to_string(::getpid()), "tbsd", "/dev/full");
  const auto holders = find_holders(number_of("/dev/null"), proc.dir.path());
  CHECK(holders.found.empty());
  CHECK(holders.suspects.size() == 2);
  const std::string advice = holder_advice(holders);
  CHECK_THAT(advice, Catch::Matchers::ContainsSubstring("perhaps "));
  CHECK_THAT(advice, Catch::Matchers::ContainsSubstring("tpm2-abrmd (pid 412)"));
  CHECK_THAT(advice, Catch::Matchers::ContainsSubstring("tcsd (pid 415)"));
}

TEST_CASE("holder: the real /proc is read without harm") {
  CHECK(find_holders(number_of("/dev/null")).found.empty());
}
