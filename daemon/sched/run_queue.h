#pragma once

// Commands that wait for the TPM, and the rule for which of them is next.
//
// - Commands of one priority number form a level. The highest level goes first; within a level the
//   contexts take turns, and a context's own commands keep their order.
// - Ageing: a level that is passed over rises by kLiftPerSecond for each second since it was last
//   served, so it is served before long whatever arrives above it. It is the level that ages, not
//   the command: a long queue within one level is no reason to overtake a higher one, and a level
//   that is being served does not rise because the command on the TPM takes long.
// - Swapping costs more than waiting: loading another context's key takes a real chip as long as a
//   signature. So within a level, a command that can run with what is loaded may overtake ones that
//   cannot, as a disk scheduler serves what is under the head, until the one in front has been
//   passed over for a slice of time.
// - A level not served for kStarvationLimit goes first, however high the others are, because
//   priorities reach up to 2^32 and no lift could bridge that.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
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

  // Whether a command can run with what is loaded on the TPM now.
  using Loaded = std::function<bool(const Request&)>;

  // The command that is next, or nothing when none waits. `slice`: how long the one in front may
  // be passed over by others that are `loaded`; zero to go strictly by turns.
  std::optional<Request> pop(TimePoint now, Duration slice = {}, const Loaded& loaded = {});

  // Takes out what a context has waiting, in the order in which it was pushed within each priority.
  std::vector<Request> remove(ContextId context);
  // Takes out everything.
  std::vector<Request> clear();

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  struct Level {
    TimePoint served;                      // last served, or when it came to be
    std::deque<ContextId> turn;            // contexts with commands here, next one first
    std::optional<TimePoint> passed_over;  // since when the one in front is
    std::unordered_map<ContextId, std::deque<Request>> waiting;
  };
  using Levels = std::map<std::uint32_t, Level>;

  Levels::iterator choose(TimePoint now);
  static std::size_t choose_turn(Level& level, TimePoint now, Duration slice, const Loaded& loaded);
  void erase_if_empty(Levels::iterator level);

  Levels levels_;
  std::optional<std::uint32_t> last_served_;
  std::size_t size_ = 0;
};

}  // namespace tbs::sched
