#include "daemon/device/embedded/tpm_library.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

// clang-format off: libtpms' headers do not include what they need
#include <libtpms/tpm_types.h>
#include <libtpms/tpm_library.h>
#include <libtpms/tpm_error.h>
// clang-format on

namespace tbs::device::embedded {
namespace {

// What the callbacks see; libtpms hands them no pointer of ours.
std::optional<StateFolder> folder;
std::uint8_t current_locality = 0;

// The first thing that went wrong with the folder. After it libtpms is in failure mode, and what it
// has in memory is not what is on the disk: this process is of no more use.
std::string storage_failure;

void complain(const std::string& what) {
  if (storage_failure.empty()) storage_failure = what;
}

TPM_RESULT nothing_to_do() {
  return TPM_SUCCESS;
}

TPM_RESULT load_data(unsigned char** data, std::uint32_t* length, std::uint32_t /*tpm*/,
                     const char* name) {
  const auto blob = folder->load(name);
  if (!blob) {
    complain(blob.error());
    return TPM_FAIL;
  }
  if (!*blob) return TPM_RETRY;  // how libtpms is told that there is none
  const std::vector<std::uint8_t>& bytes = **blob;
  auto* copy = static_cast<unsigned char*>(std::malloc(std::max<std::size_t>(bytes.size(), 1)));
  if (copy == nullptr) return TPM_SIZE;
  std::copy(bytes.begin(), bytes.end(), copy);
  *data = copy;
  *length = static_cast<std::uint32_t>(bytes.size());
  return TPM_SUCCESS;
}

TPM_RESULT store_data(const unsigned char* data, std::uint32_t length, std::uint32_t /*tpm*/,
                      const char* name) {
  const auto stored = folder->store(name, {data, length});
  if (stored) return TPM_SUCCESS;
  complain(stored.error());
  return TPM_FAIL;
}

TPM_RESULT delete_name(std::uint32_t /*tpm*/, const char* name, TPM_BOOL must_exist) {
  const auto removed = folder->remove(name);
  if (!removed) complain(removed.error());
  if (!removed || (!*removed && must_exist)) return TPM_FAIL;
  return TPM_SUCCESS;
}

TPM_RESULT get_locality(TPM_MODIFIER_INDICATOR* locality, std::uint32_t /*tpm*/) {
  *locality = current_locality;
  return TPM_SUCCESS;
}

TPM_RESULT get_physical_presence(TPM_BOOL* presence, std::uint32_t /*tpm*/) {
  *presence = 0;
  return TPM_SUCCESS;
}

std::unexpected<std::string> failure(const char* step, TPM_RESULT code) {
  if (!storage_failure.empty()) return std::unexpected(storage_failure);
  char text[80];
  std::snprintf(text, sizeof text, "%s failed with code 0x%x", step, static_cast<unsigned>(code));
  return std::unexpected(std::string(text));
}

}  // namespace

std::expected<TpmLibrary, std::string> TpmLibrary::start(Family family, StateFolder state) {
  folder.emplace(std::move(state));
  const TPM_RESULT chosen = TPMLIB_ChooseTPMVersion(family == Family::Tpm12 ? TPMLIB_TPM_VERSION_1_2
                                                                            : TPMLIB_TPM_VERSION_2);
  if (chosen != TPM_SUCCESS) return failure("choosing the TPM family", chosen);
  libtpms_callbacks callbacks{};
  callbacks.sizeOfStruct = sizeof callbacks;
  callbacks.tpm_nvram_init = nothing_to_do;
  callbacks.tpm_nvram_loaddata = load_data;
  callbacks.tpm_nvram_storedata = store_data;
  callbacks.tpm_nvram_deletename = delete_name;
  callbacks.tpm_io_init = nothing_to_do;
  callbacks.tpm_io_getlocality = get_locality;
  callbacks.tpm_io_getphysicalpresence = get_physical_presence;
  const TPM_RESULT registered = TPMLIB_RegisterCallbacks(&callbacks);
  if (registered != TPM_SUCCESS) return failure("registering the callbacks", registered);
  const TPM_RESULT begun = TPMLIB_MainInit();
  if (begun != TPM_SUCCESS || !storage_failure.empty()) {
    return failure("powering the TPM on (is its state damaged?)", begun);
  }
  return TpmLibrary();
}

TpmLibrary::TpmLibrary(TpmLibrary&& other) noexcept
    : running_(std::exchange(other.running_, false)),
      response_(std::exchange(other.response_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)) {}

TpmLibrary::~TpmLibrary() {
  if (!running_) return;
  TPMLIB_Terminate();
  std::free(response_);
  folder.reset();
}

std::expected<std::span<const std::uint8_t>, std::string> TpmLibrary::process(
    std::span<const std::uint8_t> command, std::uint8_t locality) {
  current_locality = locality;
  // libtpms takes the command by a pointer to mutable bytes.
  std::vector<std::uint8_t> bytes(command.begin(), command.end());
  std::uint32_t size = 0;
  const TPM_RESULT code = TPMLIB_Process(&response_, &size, &capacity_, bytes.data(),
                                         static_cast<std::uint32_t>(bytes.size()));
  if (code != TPM_SUCCESS || !storage_failure.empty()) {
    return failure("processing a command", code);
  }
  return std::span<const std::uint8_t>(response_, size);
}

}  // namespace tbs::device::embedded
