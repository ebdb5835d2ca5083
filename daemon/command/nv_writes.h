#pragma once

// Which commands write to the TPM's non-volatile memory, whatever they are given: those that a
// limit on the rate of such writes concerns. Others may do so now and then.

#include <cstdint>

namespace tbs {

// Of a TPM 2.0. A TPM 1.2 has no such limit that it would tell.
bool writes_nv(std::uint32_t command_code);

}  // namespace tbs
