#pragma once

// A program that is run in place of this one for a while: it has the same standard streams, and the
// signals that this one gets.

#include <chrono>
#include <expected>
#include <string>
#include <vector>

#include "client/tbsctl/text/failure.h"

namespace tbs::ctl {

// How long a program that is asked to end may take to do so.
inline constexpr std::chrono::seconds kTimeToEnd{5};

struct ProgramEnd {
  int code = 0;            // as a shell has it: 128 and more for a signal
  bool time_over = false;  // it was ended
};

// Ends it, at first by SIGTERM, when the time is over. Fails when it cannot be started.
std::expected<ProgramEnd, Failure> run_attended(const std::vector<std::string>& words,
                                                std::chrono::seconds time);

}  // namespace tbs::ctl
