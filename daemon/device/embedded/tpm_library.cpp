#include "daemon/device/embedded/tpm_library.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

// clang-format off: libtpms' headers do not include what they need
#include <libtpms/tpm_types.h>
#include <libtpms/tpm_library.h>
#include <libtpms/tpm_error.h>
#include <libtpms/tpm_nvfilename.h>
// clang-format on

#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::device::embedded {
namespace {

// What the callbacks see; libtpms hands them no pointer of ours.
std::optional<StateFolder> folder;
std::uint8_t current_locality = 0;
// The memory of a TPM that is being made. It goes into the folder as a whole, so that nothing
// half-made is there when that is interrupted.
std::optional<std::map<std::string, std::vector<std::uint8_t>, std::less<>>> unborn;

// What a new TPM 2.0 allows, as a chip does: libtpms' own 3 failures are gone with three users who
// mistype once, and its 1000 s for each make a user wait.
constexpr std::uint32_t kFailuresAllowed = 31;
constexpr std::uint32_t kForgetsOneIn = 600;        // seconds
constexpr std::uint32_t kLockoutAuthBackIn = 3600;  // seconds

// The first thing that went wrong with the folder. After it libtpms is in failure mode, and what it
// has in memory is not what is on the disk: this process is of no more use.
std::string storage_failure;

void complain(const std::string& what) {
  if (storage_failure.empty()) storage_failure = what;
}

TPM_RESULT nothing_to_do() {
  return TPM_SUCCESS;
}

std::expected<std::optional<std::vector<std::uint8_t>>, std::string> kept(const char* name) {
  if (!unborn) return folder->load(name);
  const auto found = unborn->find(name);
  if (found == unborn->end()) return std::nullopt;
  return found->second;
}

TPM_RESULT load_data(unsigned char** data, std::uint32_t* length, std::uint32_t /*tpm*/,
                     const char* name) {
  const auto blob = kept(name);
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
  if (unborn) {
    unborn->insert_or_assign(name, std::vector<std::uint8_t>(data, data + length));
    return TPM_SUCCESS;
  }
  const auto stored = folder->store(name, {data, length});
  if (stored) return TPM_SUCCESS;
  complain(stored.error());
  return TPM_FAIL;
}

TPM_RESULT delete_name(std::uint32_t /*tpm*/, const char* name, TPM_BOOL must_exist) {
  if (unborn) return unborn->erase(name) == 0 && must_exist ? TPM_FAIL : TPM_SUCCESS;
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

std::expected<void, std::string> run_once(TpmLibrary& tpm, const proto::Buffer& command) {
  const auto response = tpm.process(command, 0);
  if (!response) return std::unexpected(response.error());
  const auto header = proto::read_tpm_header(*response);
  if (!header || header->code != tpm::rc::kSuccess) {
    return failure("setting up a new TPM", header ? header->code : TPM_FAIL);
  }
  return {};
}

}  // namespace

std::expected<void, std::string> TpmLibrary::make_new() {
  unborn.emplace();
  {
    auto tpm = power_on();
    if (!tpm) return std::unexpected(tpm.error());
    for (const proto::Buffer& command : {tpm::build::startup(tpm::kStartupClear),
                                         tpm::build::dictionary_attack_parameters(
                                             kFailuresAllowed, kForgetsOneIn, kLockoutAuthBackIn),
                                         tpm::build::shutdown(tpm::kStartupClear)}) {
      if (auto done = run_once(*tpm, command); !done) return done;
    }
  }
  const auto made = *std::exchange(unborn, std::nullopt);
  for (const auto& [name, bytes] : made) {
    if (auto stored = folder->store(name, bytes); !stored) return stored;
  }
  return {};
}

std::expected<TpmLibrary, std::string> TpmLibrary::power_on() {
  const TPM_RESULT begun = TPMLIB_MainInit();
  if (begun != TPM_SUCCESS || !storage_failure.empty()) {
    return failure("powering the TPM on (is its state damaged?)", begun);
  }
  return TpmLibrary();
}

// libtpms asks for the saved state and goes on from it.
std::expected<TpmLibrary, std::string> TpmLibrary::power_on_saved() {
  auto tpm = power_on();
  // Used once: another time would take back what the TPM has done since.
  const auto removed = folder->remove(TPM_VOLATILESTATE_NAME);
  if (!removed) return std::unexpected(removed.error());
  if (tpm || !*removed) return tpm;
  std::fprintf(stderr,
               "tbsd-embedded-tpm: the TPM's kept state cannot be used, so it starts anew: %s\n",
               tpm.error().c_str());
  storage_failure.clear();
  TPMLIB_Terminate();
  return power_on();
}

std::expected<TpmLibrary, std::string> TpmLibrary::start(Family family, StateFolder state,
                                                         bool goes_on) {
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
  if (family == Family::Tpm20) {
    const auto known = folder->load(TPM_PERMANENT_ALL_NAME);
    if (!known) return std::unexpected(known.error());
    if (!*known) {
      if (auto made = make_new(); !made) return std::unexpected(made.error());
    }
  }
  if (goes_on) return power_on_saved();
  if (const auto removed = folder->remove(TPM_VOLATILESTATE_NAME); !removed) {
    return std::unexpected(removed.error());
  }
  return power_on();
}

TpmLibrary::TpmLibrary(TpmLibrary&& other) noexcept
    : running_(std::exchange(other.running_, false)),
      response_(std::exchange(other.response_, nullptr)),
      capacity_(std::exchange(other.capacity_, 0)) {}

TpmLibrary::~TpmLibrary() {
  if (!running_) return;
  TPMLIB_Terminate();
  std::free(response_);
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

std::expected<void, std::string> TpmLibrary::save_state() const {
  unsigned char* state = nullptr;
  std::uint32_t size = 0;
  const TPM_RESULT code = TPMLIB_GetState(TPMLIB_STATE_VOLATILE, &state, &size);
  if (code != TPM_SUCCESS) return failure("reading the TPM's state", code);
  auto stored = folder->store(TPM_VOLATILESTATE_NAME, {state, size});
  std::free(state);
  return stored;
}

}  // namespace tbs::device::embedded
