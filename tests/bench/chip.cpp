#include "tests/bench/chip.h"

#include "tests/bench/command_codes.h"

namespace tbs::bench {

std::chrono::microseconds Chip::time_of(std::uint32_t command_code) const {
  switch (command_code) {
    case kCcSign:
      return sign;
    case kCcContextLoad:
      return load;
    case kCcContextSave:
      return save;
    case kCcFlushContext:
      return flush;
    default:
      return other;
  }
}

}  // namespace tbs::bench
