#pragma once

// What a program has said of the TPM that it believes to have to itself. Most say nothing of the
// kind.

#include <cstdint>

#include "client/tbsctl/bridge/power_state.h"

namespace tbs::ctl::bridge {

struct Program {
  std::uint8_t locality = 0;  // where the protocol sets it on a connection of its own
  PowerState power;
};

}  // namespace tbs::ctl::bridge
