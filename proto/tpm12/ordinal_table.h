#pragma once

// What the shape of each TPM 1.2 command is: how many handles stand in front of its parameters, how
// many authorization sessions it may have, and which handle it returns. Handles are the part of a
// command that is covered by no HMAC, which is why they can be virtual.

#include <cstdint>
#include <optional>

#include "proto/tpm12/constants.h"

namespace tbs::tpm12 {

struct OrdinalInfo {
  std::uint32_t ordinal = 0;
  // Key handles right behind the header.
  std::uint8_t keys = 0;
  // Authorization sessions at most; the tag of a command says how many it has.
  std::uint8_t max_auths = 0;
  // The last of them is a transport session.
  bool transport = false;
  // The response begins with the handle of a new one of these.
  std::optional<Kind> creates;
  // May end sessions or remove keys that the command does not name.
  bool extensive = false;
};

// Null when Part 3 has no such command. Vendor commands (ord::kVendorBit) get a row of their own:
// no handles, any number of sessions.
const OrdinalInfo* find_ordinal(std::uint32_t ordinal);

}  // namespace tbs::tpm12
