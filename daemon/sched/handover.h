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

// The points in time that follow from them. Both are this boot's, whichever process looks.
struct HandoverDeadlines {
  TimePoint refuse_at;
  TimePoint end_at;

  template <typename Record>
  void fields(Record& record) {
    record(refuse_at, end_at);
  }
};

struct Handover {
  enum class Stage : unsigned char { None, Emptying, Given, Over };

  Stage stage = Stage::None;
  bool emptied = false;  // on the way to Given
  HandoverTerms terms;
  HandoverDeadlines deadlines;  // of Given

  [[nodiscard]] bool wanted() const { return stage == Stage::Emptying; }
  // Given, and not taken back yet.
  [[nodiscard]] bool away() const { return stage == Stage::Given || stage == Stage::Over; }
  // No command waits any longer.
  [[nodiscard]] bool refuses(TimePoint now) const { return away() && now >= deadlines.refuse_at; }
  [[nodiscard]] bool overdue(TimePoint now) const {
    return stage == Stage::Given && now >= deadlines.end_at;
  }
  // `waiting`: a command does.
  [[nodiscard]] std::optional<TimePoint> next_deadline(bool waiting) const {
    const auto [refuse_at, end_at] = deadlines;
    if (stage == Stage::Given) return waiting ? std::min(refuse_at, end_at) : end_at;
    return stage == Stage::Over && waiting ? std::optional(refuse_at) : std::nullopt;
  }

  void ask(const HandoverTerms& asked) { *this = {.stage = Stage::Emptying, .terms = asked}; }
  void give(TimePoint now) {
    given_until({.refuse_at = now + terms.patience, .end_at = now + terms.time});
  }
  void given_until(const HandoverDeadlines& when) {
    stage = Stage::Given;
    deadlines = when;
  }
  void end() { stage = Stage::Over; }
  void take_back() { *this = {}; }
};

}  // namespace tbs::sched
