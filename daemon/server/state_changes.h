#pragma once

#include <cstdint>

#include "daemon/base/family.h"
#include "proto/byte_reader.h"

namespace tbs::server {

// What a command that succeeds changes for others than who sent it, so that an administrator may
// want to know.
enum class Change : std::uint8_t {
  None,
  State,  // of the TPM: hierarchies, NV indices, persistent objects, settings
  Pcr,
  Nv,  // what an NV index holds
};

[[nodiscard]] Change change_of(Family family, std::uint32_t command);

// The PCR or NV index that such a command names; 0 when its bytes end before.
[[nodiscard]] std::uint32_t changed_handle(Family family, Change change, proto::Bytes command);

}  // namespace tbs::server
