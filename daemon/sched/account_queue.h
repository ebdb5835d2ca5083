#pragma once

// The commands of one account that wait for the TPM. Commands of one priority number form a level;
// the levels age (ageing.h), within a level the account's contexts share TPM time evenly
// (fair_turns.h), and a context's own commands keep their order.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/command/client_command.h"
#include "daemon/exec/backoff.h"
#include "daemon/sched/fair_turns.h"

namespace tbs::sched {

class AccountQueue {
 public:
  struct Waiting {
    SharedCommand command;
    TimePoint since;
    // Of one that the TPM was not ready for: the pauses that are left to it.
    std::optional<exec::Backoff> pauses = std::nullopt;
  };
  struct Level {
    std::uint32_t priority = 0;
    TimePoint served;  // until then it had the account's turn, or when it came to be
    FairTurns<ContextId> turns;
    // Most contexts have one command waiting at a time, and none more than its window.
    std::unordered_map<ContextId, std::vector<Waiting>> waiting;

    [[nodiscard]] const ClientCommand& front_of(ContextId context) const {
      return *waiting.at(context).front().command;
    }
  };

  void push(Waiting waiting, TimePoint now);

  // The level that the account's next turn goes to. There must be commands waiting.
  Level& due();
  // The context whose turn it is in the level.
  [[nodiscard]] ContextId next_in(const Level& level) const {
    return level.priority < top() ? level.turns.longest_waiting() : level.turns.next();
  }
  // Takes the first command of a context that waits in the level.
  Waiting take(Level& level, ContextId context, TimePoint now);

  // The command taken last was being served until now.
  void served_until(TimePoint now);
  // What that command took.
  void charge(Duration took);

  // Takes out what a context has waiting, in the order in which it was pushed in each level.
  // `only`: the one with this number, and no other.
  std::vector<SharedCommand> remove(ContextId context, std::optional<RequestId> only = {});
  // All of that, as it waits.
  std::vector<Waiting> take_out(ContextId context);
  // Takes out everything.
  std::vector<SharedCommand> clear();

  // What a context has waiting: the highest priority of it, and since when the oldest.
  struct OfContext {
    std::uint32_t priority = 0;
    TimePoint since;
  };
  [[nodiscard]] std::optional<OfContext> waiting_of(ContextId context) const;

  [[nodiscard]] bool empty() const { return size_ == 0; }
  // The highest priority that waits. There must be commands waiting.
  [[nodiscard]] std::uint32_t top() const;
  // Whether there is nothing left to be remembered.
  bool forgotten(TimePoint now);

 private:
  using Levels = std::map<std::uint32_t, Level>;

  static void leave(Level& level, ContextId context);

  Levels levels_;
  std::size_t size_ = 0;
  // Who had the last turn.
  std::uint32_t last_priority_ = 0;
  ContextId last_context_{};
  std::optional<TimePoint> last_served_;
};

// Moves all of these commands, or the one with this number.
void move_commands(std::vector<AccountQueue::Waiting>& waiting, std::vector<SharedCommand>& to,
                   std::optional<RequestId> only = {});

}  // namespace tbs::sched
