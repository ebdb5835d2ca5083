#include "tests/guest/trusted_key.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/guest/kernel_client.h"
#include "tests/integration/support/tpm_commands.h"

namespace tbs::test {
namespace {

constexpr std::uint32_t kParent = 0x81000001;
constexpr const char* kWithParent = " keyhandle=0x81000001";

void make_parent() {
  const KernelClient kernel;
  if (kernel.succeeds(tpm::read_public(kParent))) return;
  const std::uint32_t key = kernel.create(tpm::create_primary_ecc());
  if (key == 0 || !kernel.succeeds(tpm::evict_control(key, kParent))) {
    throw std::runtime_error("no parent for trusted keys");
  }
}

// Its number, or -1 and errno.
long add(const std::string& name, const std::string& what) {
  return ::syscall(SYS_add_key, "trusted", name.c_str(), what.data(), what.size(),
                   KEY_SPEC_USER_KEYRING);
}

void remove(long key) {
  ::syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING);
}

}  // namespace

bool TrustedKey::available() {
  return std::filesystem::exists("/sys/module/trusted");
}

TrustedKey::TrustedKey() {
  make_parent();
  const long key = add("sealed", std::string("new 32") + kWithParent);
  if (key < 0) throw std::system_error(errno, std::generic_category(), "a new trusted key");
  std::array<char, 4096> blob{};
  const long size = ::syscall(SYS_keyctl, KEYCTL_READ, key, blob.data(), blob.size());
  if (size <= 0) throw std::system_error(errno, std::generic_category(), "reading a trusted key");
  blob_.assign(blob.data(), static_cast<std::size_t>(size));
  while (blob_.ends_with('\0')) blob_.pop_back();
  remove(key);
}

bool TrustedKey::load() {
  const long key = add("loaded" + std::to_string(number_++), "load " + blob_ + kWithParent);
  if (key >= 0) remove(key);
  return key >= 0;
}

}  // namespace tbs::test
