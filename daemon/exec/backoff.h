#pragma once

// How long to wait before a command is sent again that the TPM was not ready for: short at first,
// because TPM_RC_RETRY often means "now", then doubling up to a second; in all no longer than a
// bound.

#include <algorithm>
#include <chrono>
#include <optional>

namespace tbs::exec {

// How long a TPM that asks to wait is waited for at most, with each command.
inline constexpr std::chrono::seconds kPatience{60};

class Backoff {
 public:
  using Milliseconds = std::chrono::milliseconds;

  explicit Backoff(Milliseconds bound) : left_(bound) {}

  // The next pause; empty when the bound is used up.
  std::optional<Milliseconds> next() {
    const Milliseconds pause = std::min(pause_, left_);
    if (pause == Milliseconds::zero()) return std::nullopt;
    left_ -= pause;
    pause_ = std::min(pause_ * 2, kLongest);
    return pause;
  }

 private:
  static constexpr Milliseconds kLongest{1000};

  Milliseconds pause_{1};
  Milliseconds left_;
};

}  // namespace tbs::exec
