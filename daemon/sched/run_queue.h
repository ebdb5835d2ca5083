#pragma once

// Commands that wait for the TPM, and the rule for which of them is next.
//
// - Commands of one priority number form a level. The highest level goes first; within a level the
//   contexts take turns, and a context's own commands keep their order.
// - Ageing: a level that is passed over rises by kLiftPerSecond for each second since it was last
//   served, so it is served before long whatever arrives above it. It is the level that ages, not
//   the command: a long queue within one level is no reason to overtake a higher one, and a level
//   that is being served does not rise because the command on the TPM takes long.
// - A level not served for kStarvationLimit goes first, however high the others are, because
//   priorities reach up to 2^32 and no lift could bridge that.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/sched/request.h"

namespace tbs::sched {

// NORMAL (200) overtakes a flood of HIGH (300) once a second, LOW (100) every two seconds.
inline constexpr std::uint32_t kLiftPerSecond = 100;
inline constexpr std::chrono::seconds kStarvationLimit{10};

class RunQueue {
 public:
  void push(Request request, TimePoint now);

  // The command that is next, or nothing when none waits.
  std::optional<Request> pop(TimePoint now);

  // Takes out what a context has waiting, in the order in which it was pushed within each priority.
  std::vector<Request> remove(ContextId context);
  // Takes out everything.
  std::vector<Request> clear();

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  struct Level {
    TimePoint served;            // last served, or when it came to be
    std::deque<ContextId> turn;  // contexts with commands here, next one first
    std::unordered_map<ContextId, std::deque<Request>> waiting;
  };
  using Levels = std::map<std::uint32_t, Level>;

  Levels::iterator choose(TimePoint now);
  void erase_if_empty(Levels::iterator level);

  Levels levels_;
  std::optional<std::uint32_t> last_served_;
  std::size_t size_ = 0;
};

}  // namespace tbs::sched
