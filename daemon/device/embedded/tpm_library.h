#pragma once

// libtpms as one object: its callbacks, its start and end, one command at a time. There is one TPM
// per process, as libtpms keeps its state in globals.

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "daemon/device/embedded/state_folder.h"
#include "daemon/device/transceiver.h"

namespace tbs::device::embedded {

class TpmLibrary {
 public:
  // Powers the TPM on; an empty state folder gets a newly made TPM, whose protection
  // against guessing is set as that of a chip. A state that save_state() has left is gone after
  // that, and with `goes_on` the TPM goes on from there, as if its power had never been off.
  static std::expected<TpmLibrary, std::string> start(Family family, StateFolder state,
                                                      bool goes_on);

  TpmLibrary(TpmLibrary&& other) noexcept;
  TpmLibrary& operator=(TpmLibrary&&) = delete;
  ~TpmLibrary();  // powers it off
  TpmLibrary(const TpmLibrary&) = delete;
  TpmLibrary& operator=(const TpmLibrary&) = delete;

  // The response stays valid until the next call. After a failure the TPM can only be ended.
  std::expected<std::span<const std::uint8_t>, std::string> process(
      std::span<const std::uint8_t> command, std::uint8_t locality);

  // Writes what the TPM has in memory into the folder. It may be ended then, and do nothing else.
  [[nodiscard]] std::expected<void, std::string> save_state() const;

 private:
  TpmLibrary() = default;

  static std::expected<TpmLibrary, std::string> power_on();
  static std::expected<TpmLibrary, std::string> power_on_saved();
  static std::expected<void, std::string> make_new();

  bool running_ = true;
  unsigned char* response_ = nullptr;  // grown by libtpms with realloc
  std::uint32_t capacity_ = 0;
};

}  // namespace tbs::device::embedded
