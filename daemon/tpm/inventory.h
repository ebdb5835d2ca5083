#pragma once

// What a TPM of either family was found to hold that outlives all contexts.

#include <cstdint>
#include <optional>
#include <vector>

namespace tbs::tpm {

// TPM2_ReadClock. Both only grow in the life of a TPM, until it is cleared.
struct Age {
  std::uint64_t milliseconds = 0;
  std::uint32_t resets = 0;

  template <typename Record>
  void fields(Record& record) {
    record(milliseconds, resets);
  }
};

struct Inventory {
  std::vector<std::uint32_t> nv_indices;
  std::vector<std::uint32_t> persistent_handles;
  std::optional<Age> age;  // a TPM 1.2 does not say
  // Taken without the device having been opened again: it is the TPM that it was before.
  bool same_tpm = false;
};

}  // namespace tbs::tpm
