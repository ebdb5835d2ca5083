#pragma once

// The TPM is given to somebody else for a while: an administrator's program that must have it
// alone. What runs ends, the TPM is emptied, and the device is closed. Commands wait meanwhile,
// though not for ever.

#include <algorithm>
#include <chrono>
#include <optional>

#include "daemon/base/clock.h"

namespace tbs::sched {

struct HandoverTerms {
  std::chrono::seconds time{0};      // how long somebody else may have it
  std::chrono::seconds patience{0};  // of commands, from its beginning on
};

struct Handover {
  enum class Stage : unsigned char { None, Emptying, Given, Over };

  Stage stage = Stage::None;
  bool emptied = false;  // on the way to Given
  HandoverTerms terms;
  TimePoint refuse_at;  // these are of Given
  TimePoint end_at;

  [[nodiscard]] bool wanted() const { return stage == Stage::Emptying; }
  // Given, and not taken back yet.
  [[nodiscard]] bool away() const { return stage == Stage::Given || stage == Stage::Over; }
  // No command waits any longer.
  [[nodiscard]] bool refuses(TimePoint now) const { return away() && now >= refuse_at; }
  [[nodiscard]] bool overdue(TimePoint now) const { return stage == Stage::Given && now >= end_at; }
  // `waiting`: a command does.
  [[nodiscard]] std::optional<TimePoint> next_deadline(bool waiting) const {
    if (stage == Stage::Given) return waiting ? std::min(refuse_at, end_at) : end_at;
    return stage == Stage::Over && waiting ? std::optional(refuse_at) : std::nullopt;
  }

  void ask(const HandoverTerms& asked) { *this = {.stage = Stage::Emptying, .terms = asked}; }
  void give(TimePoint now) {
    stage = Stage::Given;
    refuse_at = now + terms.patience;
    end_at = now + terms.time;
  }
  void end() { stage = Stage::Over; }
  void take_back() { *this = {}; }
};

}  // namespace tbs::sched
