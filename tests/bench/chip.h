#pragma once

// How long real TPM chips take, for the relay to hold answers back by.
//
// Sources: medians of TPMScan (CHES 2024) for P-256 signing and the cheapest command; the time of
// ContextLoad, ContextSave and FlushContext together is what the same data set shows for a swap by
// the kernel's resource manager, split in the way the commands' work suggests. Sessions are taken
// to cost what objects cost.

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace tbs::bench {

struct Chip {
  std::string_view name;
  std::chrono::microseconds sign;
  std::chrono::microseconds load;
  std::chrono::microseconds save;
  std::chrono::microseconds flush;
  std::chrono::microseconds other;

  [[nodiscard]] std::chrono::microseconds time_of(std::uint32_t command_code) const;
};

using namespace std::chrono_literals;

inline constexpr std::array kChips = {
    Chip{.name = "SLB9665",
         .sign = 73ms,
         .load = 85ms,
         .save = 85ms,
         .flush = 13ms,
         .other = 4600us},
    Chip{.name = "NPCT75x", .sign = 20ms, .load = 7ms, .save = 7ms, .flush = 4ms, .other = 2900us},
};
// As fast as the software goes.
inline constexpr Chip kNoChip{
    .name = "swtpm", .sign = 0us, .load = 0us, .save = 0us, .flush = 0us, .other = 0us};

}  // namespace tbs::bench
