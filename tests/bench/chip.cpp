#include "tests/bench/chip.h"

#include "proto/tpm/constants.h"

namespace tbs::bench {

std::chrono::microseconds Chip::time_of(std::uint32_t command_code) const {
  switch (command_code) {
    case TPM2_CC_Sign:
      return sign;
    case TPM2_CC_ContextLoad:
      return load;
    case TPM2_CC_ContextSave:
      return save;
    case TPM2_CC_FlushContext:
      return flush;
    default:
      return other;
  }
}

}  // namespace tbs::bench
