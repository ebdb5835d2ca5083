#pragma once

// Contexts whose next command has to wait for a time and not for a turn: meanwhile they are out of
// the line, with all that they have waiting, so that their commands keep their order.

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/command/client_command.h"
#include "daemon/sched/account_queue.h"

namespace tbs::sched {

class SetAside {
 public:
  using Waiting = AccountQueue::Waiting;

  [[nodiscard]] bool contains(ContextId context) const { return contexts_.contains(context); }
  // One that is not set aside yet; the command that waits for the time comes first.
  void add(ContextId context, TimePoint until, std::vector<Waiting> waiting);
  // One more command of a context that is set aside.
  void append(SharedCommand command, TimePoint now);
  // What contexts have whose time has come, the earliest first.
  std::vector<Waiting> take_due(TimePoint now);
  // When to look again. It may be too early.
  [[nodiscard]] std::optional<TimePoint> next() const { return next_; }

  // See RunQueue.
  std::vector<SharedCommand> remove(ContextId context, std::optional<RequestId> only);
  std::vector<SharedCommand> clear();

  // See AccountQueue.
  [[nodiscard]] std::optional<AccountQueue::OfContext> waiting_of(ContextId context) const;
  template <typename Use>
  void for_each(const Use& use) const {
    for (const auto& [context, entry] : contexts_) {
      for (const Waiting& one : entry.waiting) use(*one.command);
    }
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Entry {
    TimePoint until;
    std::vector<Waiting> waiting;  // never empty
  };

  void find_next();

  std::map<ContextId, Entry> contexts_;
  std::optional<TimePoint> next_;
  std::size_t size_ = 0;  // commands
};

}  // namespace tbs::sched
