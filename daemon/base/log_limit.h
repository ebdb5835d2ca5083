#pragma once

// The bound on lines of the log that somebody else can cause: some of each kind pass, then one now
// and then, which says how many were left out.

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/base/rate_limit.h"

namespace tbs {

class LogLimit {
 public:
  // The line to be written now, or nothing.
  std::optional<std::string> line(std::uint64_t kind, const std::string& text, TimePoint now) {
    const RateLimit::Permit permit = limit_.ask(kind, now);
    if (!permit.pass) return std::nullopt;
    if (permit.left_out == 0) return text;
    return text + " (" + std::to_string(permit.left_out) + " more like it were not logged)";
  }

 private:
  RateLimit limit_;
};

}  // namespace tbs
