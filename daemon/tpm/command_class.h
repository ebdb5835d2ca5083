#pragma once

// How long a command may keep the TPM before the device counts as hung. The classes come from
// measured chips: signing takes up to 1.3 s and random numbers a few milliseconds, but a key
// creation has been seen to take 123 s, so a single deadline would either kill good commands or
// let a dead device hold everybody.

#include <chrono>
#include <cstdint>

namespace tbs::tpm {

// The deadline of one transmission. Codes that are not known (vendor commands, newer ones) get the
// longest, because nothing says that they are quick.
std::chrono::seconds deadline_of(std::uint32_t command_code);

}  // namespace tbs::tpm
