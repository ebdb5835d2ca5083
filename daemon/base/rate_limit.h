#pragma once

// Lets a few events of a kind pass at once and then one now and then, and counts those left out, so
// that nobody can fill a log. Kinds are numbers of the caller's (a message, a user); their number
// is bounded, and those beyond it share one allowance.

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "daemon/base/clock.h"

namespace tbs {

class RateLimit {
 public:
  struct Options {
    unsigned burst = 5;
    std::chrono::milliseconds interval{10'000};  // after which one more may pass
    std::size_t kinds = 256;
  };
  struct Permit {
    bool pass = false;
    std::uint64_t left_out = 0;  // since the last one of the kind that passed
  };

  RateLimit() : RateLimit(Options{}) {}
  explicit RateLimit(Options options) : options_(options) {}

  Permit ask(std::uint64_t kind, TimePoint now);
  [[nodiscard]] std::size_t kinds() const { return kinds_.size(); }

 private:
  struct Allowance {
    TimePoint full_at;  // when the whole burst is there again
    std::uint64_t left_out = 0;
  };
  Permit ask(Allowance& allowance, TimePoint now) const;
  Allowance& allowance_of(std::uint64_t kind, TimePoint now);

  Options options_;
  std::unordered_map<std::uint64_t, Allowance> kinds_;
  Allowance shared_;
};

}  // namespace tbs
