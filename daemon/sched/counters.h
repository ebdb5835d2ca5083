#pragma once

// What the dispatcher has counted since the process began. It is no part of what a successor takes
// over: counters begin anew with each process.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/base/histogram.h"
#include "daemon/command/command_kind.h"

namespace tbs::sched {

// What became of a command that was cancelled.
enum class CancelOutcome : std::uint8_t {
  Queued,    // it had not been started
  Stopped,   // the TPM gave it up, or had not got it yet
  Finished,  // too late: it ended with its own response
  Detached,  // it was answered, or its client had gone, while the TPM went on with it
  Failed,    // the device was lost meanwhile
};

inline constexpr std::array<std::string_view, 5> kCancelOutcomeNames = {
    "queued", "stopped", "finished", "detached", "failed"};

struct Counters {
  using OfKinds = std::array<Histogram, kCommandKindNames.size()>;

  std::uint64_t answered = 0;     // client commands answered with a response
  std::uint64_t transmitted = 0;  // TPM commands sent to the device
  std::uint64_t canceled = 0;
  std::uint64_t failed = 0;    // client commands answered IOERROR
  std::uint64_t rejected = 0;  // client commands answered with another status

  std::array<std::uint64_t, kCancelOutcomeNames.size()> cancels{};
  OfKinds waiting{};    // of client commands that were started
  OfKinds working{};    // of client commands for which the TPM has worked
  Duration swapping{};  // of that, for loading and evicting around them
};

}  // namespace tbs::sched
