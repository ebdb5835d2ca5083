#pragma once

// What a command does to what outlives all contexts: NV indices and persistent objects. Read from
// the client's bytes, in which such handles are the TPM's own.

#include <cstdint>
#include <optional>

#include "daemon/command/client_command.h"
#include "daemon/tpm/command_info.h"

namespace tbs::policy {

struct LastingChange {
  enum class Kind : std::uint8_t {
    Makes,
    Removes,
    Changes,  // what is in an NV index, or whether it can be read and written
  };
  Kind kind = Kind::Makes;
  std::uint32_t handle = 0;
  bool persistent = false;  // an object, not an NV index
  // With Makes: the data of an NV index, whether it gets no authorization value of its own, and
  // whether a TPM 1.2 removes what has the same number.
  std::uint32_t bytes = 0;
  bool open = false;
  bool replaces = false;
  // With Changes: by the index's own authorization value, which its maker has chosen.
  bool by_own_value = false;
  // The numbers are those inside a transport session, where they may be encrypted.
  bool hidden = false;
};

// Nothing for a command that changes nothing of the kind, or that its own policy allows.
std::optional<LastingChange> lasting_change_of(const ClientCommand& command,
                                               const tpm::CommandTable& commands);

}  // namespace tbs::policy
