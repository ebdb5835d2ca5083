#include "tests/support/software_tpm.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <libtpms/tpm_error.h>
#include <libtpms/tpm_library.h>
#include <libtpms/tpm_memory.h>

namespace tbs::test {
namespace {

SoftwareTpm::Flash& contents() {
  static SoftwareTpm::Flash flash;
  return flash;
}

TPM_RESULT initialize() {
  return TPM_SUCCESS;
}

TPM_RESULT load(unsigned char** data, std::uint32_t* length, std::uint32_t, const char* name) {
  const auto entry = contents().find(name);
  if (entry == contents().end()) return TPM_RETRY;
  *length = static_cast<std::uint32_t>(entry->second.size());
  if (TPM_Malloc(data, *length) != TPM_SUCCESS) return TPM_FAIL;
  std::memcpy(*data, entry->second.data(), *length);
  return TPM_SUCCESS;
}

TPM_RESULT store(const unsigned char* data, std::uint32_t length, std::uint32_t, const char* name) {
  contents()[name].assign(data, data + length);
  return TPM_SUCCESS;
}

TPM_RESULT erase(std::uint32_t, const char* name, TPM_BOOL) {
  contents().erase(name);
  return TPM_SUCCESS;
}

TPM_RESULT locality(TPM_MODIFIER_INDICATOR* value, std::uint32_t) {
  *value = 0;
  return TPM_SUCCESS;
}

// A TPM 1.2 asks for it before it lets itself be enabled.
TPM_RESULT presence(TPM_BOOL* present, std::uint32_t) {
  *present = 1;
  return TPM_SUCCESS;
}

void power_on(SoftwareTpm::Family family) {
  const bool old = family == SoftwareTpm::Family::Tpm12;
  if (TPMLIB_ChooseTPMVersion(old ? TPMLIB_TPM_VERSION_1_2 : TPMLIB_TPM_VERSION_2) != TPM_SUCCESS) {
    throw std::runtime_error("libtpms has no such TPM");
  }
  libtpms_callbacks callbacks{.sizeOfStruct = sizeof(libtpms_callbacks),
                              .tpm_nvram_init = initialize,
                              .tpm_nvram_loaddata = load,
                              .tpm_nvram_storedata = store,
                              .tpm_nvram_deletename = erase,
                              .tpm_io_init = initialize,
                              .tpm_io_getlocality = locality,
                              .tpm_io_getphysicalpresence = presence};
  if (TPMLIB_RegisterCallbacks(&callbacks) != TPM_SUCCESS || TPMLIB_MainInit() != TPM_SUCCESS) {
    throw std::runtime_error("libtpms does not start");
  }
}

}  // namespace

SoftwareTpm::SoftwareTpm(Family family, Flash flash) : family_(family) {
  contents() = std::move(flash);
  power_on(family_);
}

SoftwareTpm::~SoftwareTpm() {
  TPMLIB_Terminate();
}

SoftwareTpm::Flash SoftwareTpm::flash() {
  return contents();
}

void SoftwareTpm::power_cycle() {
  TPMLIB_Terminate();
  power_on(family_);
}

std::vector<std::uint8_t> SoftwareTpm::run(std::span<const std::uint8_t> command) {
  std::vector<std::uint8_t> bytes(command.begin(), command.end());
  unsigned char* response = nullptr;
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;
  const TPM_RESULT result = TPMLIB_Process(&response, &size, &capacity, bytes.data(),
                                           static_cast<std::uint32_t>(bytes.size()));
  std::vector<std::uint8_t> copy;
  if (result == TPM_SUCCESS) copy.assign(response, response + size);
  TPM_Free(response);
  return copy;
}

}  // namespace tbs::test
