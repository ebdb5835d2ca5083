#pragma once

// Commands that wait for the TPM, and the rule for which of them is next.
//
// - Every account has a queue (account_queue.h). Accounts whose most urgent command has the same
//   priority form a level. The highest level goes first; within a level TPM time is shared evenly
//   between the accounts, and then between an account's contexts, by what their commands really
//   took.
// - Ageing: a level that is passed over rises (ageing.h), so it is served before long whatever
//   arrives above it; one that is being served does not rise because the command on the TPM takes
//   long. An account is in one level only, so that commands of many priorities are no more turns.
// - Accounts that are no administrators' have priorities above NORMAL for a share of the time only
//   (high_share.h).
// - Swapping costs more than waiting: loading another context's key takes a real chip as long as a
//   signature. So within a level, a command that can run with what is loaded may overtake ones that
//   cannot, as a disk scheduler serves what is under the head, until the one in front has been
//   passed over for a slice of time. Shares stay even: who was overtaken is still the first, and
//   who is far ahead of others overtakes nobody.
// - A command that the TPM is not ready for, or not expected to be, is set aside with its context
//   for a while (set_aside.h). When it comes back it has waited since it first came.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/command/client_command.h"
#include "daemon/sched/account_queue.h"
#include "daemon/sched/fair_turns.h"
#include "daemon/sched/high_share.h"
#include "daemon/sched/queue_credit.h"
#include "daemon/sched/set_aside.h"

namespace tbs::sched {

// What a context has waiting, for listings.
struct WaitingView {
  TimePoint since;              // the one that waits longest
  std::uint32_t priority = 0;   // the highest one of its commands
  std::uint32_t counts_as = 0;  // less than that when the share above NORMAL is used up
};

class RunQueue {
 public:
  void push(SharedCommand command, TimePoint now);

  // Whether a command can run with what is loaded on the TPM now.
  using Loaded = std::function<bool(const ClientCommand&)>;
  // Until when a command has to wait though it is its turn; nothing: it has not.
  using Held = std::function<std::optional<TimePoint>(const ClientCommand&)>;

  // The command that is next, or nothing when none waits or those that do are set aside. `slice`:
  // how long the one in front may be passed over by others that are `loaded`; zero to go strictly
  // by turns. Those that are `held` are set aside.
  SharedCommand pop(TimePoint now, Duration slice = {}, const Loaded& loaded = {},
                    const Held& held = {});
  // How long the command popped last has waited.
  [[nodiscard]] Duration last_waited() const { return last_waited_; }
  // Whether that was its first turn.
  [[nodiscard]] bool last_was_new() const { return !last_.pauses; }
  // The command popped last has ended after this long. Each is told before the next pop.
  void finished(Duration took, TimePoint now);
  // The TPM was not ready for the command that has just ended. It comes back after a pause, which
  // is longer each time, before anything else of its context; all pauses together are no longer
  // than `patience`. False when they have been that long.
  bool put_back(SharedCommand command, std::chrono::milliseconds patience, TimePoint now);
  // When somebody who is set aside comes back.
  [[nodiscard]] std::optional<TimePoint> next_back() const { return aside_.next(); }

  // Takes out what a context has waiting, in the order in which it was pushed within each priority.
  // `only`: the one with this number, and no other.
  std::vector<SharedCommand> remove(ContextId context, std::optional<RequestId> only = {});
  // Takes out everything.
  std::vector<SharedCommand> clear();

  // Percent of the time for one account above NORMAL; 100: no bound.
  void set_high_share(unsigned percent);

  [[nodiscard]] std::optional<WaitingView> waiting_of(AccountId account, ContextId context,
                                                      TimePoint now) const;
  // The highest priority that waits, as far as it counts; 0 when none does.
  [[nodiscard]] std::uint32_t highest(TimePoint now) const;

  [[nodiscard]] QueueCredit credit() const;
  // While nothing waits.
  void restore(const QueueCredit& credit);

  // With what is set aside.
  [[nodiscard]] std::size_t size() const { return in_line_ + aside_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }

 private:
  struct Account {
    AccountQueue queue;
    bool administrator = false;
    HighShare high_share;
    std::optional<std::uint32_t> level;  // when something waits
    TimePoint since;                     // since when it waits for its turn
    bool unsettled = false;              // is among those
  };
  using Accounts = std::unordered_map<AccountId, Account>;
  using Entry = Accounts::value_type;

  struct Level {
    std::uint32_t priority = 0;
    TimePoint served;  // last served, or when it came to be
    FairTurns<AccountId> turns;
    std::optional<TimePoint> passed_over;  // since when the one in front is
  };
  using Levels = std::map<std::uint32_t, Level>;

  struct Turn {
    AccountId account;
    AccountQueue::Level* level;  // of the account's queue
    ContextId context;
  };
  // The command popped last, as far as it matters when it comes back.
  struct Last {
    ContextId context{};
    RequestId request{};
    TimePoint since;
    std::optional<exec::Backoff> pauses;
  };

  void enter(AccountQueue::Waiting waiting, TimePoint now);
  void come_back(TimePoint now);
  void set_aside(AccountId id, ContextId context, TimePoint until,
                 std::optional<AccountQueue::Waiting> first, TimePoint now);
  void note_served(TimePoint now);
  SharedCommand take(Levels::iterator level, const Turn& turn, TimePoint now);
  void arrange(TimePoint now);
  void unsettle(Entry& entry);
  bool settle(Entry& entry, TimePoint now);
  void forget_some(TimePoint now);
  void place(AccountId id, Account& account, TimePoint now);
  void move_to(std::uint32_t priority, AccountId id, Account& account);
  void leave_level(AccountId id, Account& account);
  // What a priority counts as that the account has a command of.
  [[nodiscard]] std::uint32_t counted(const Account& account, std::uint32_t priority,
                                      TimePoint now) const;
  [[nodiscard]] std::uint32_t counted(AccountId account, std::uint32_t priority,
                                      TimePoint now) const;
  [[nodiscard]] std::uint32_t priority_of(const Account& account, TimePoint now) const {
    return counted(account, account.queue.top(), now);
  }
  Levels::iterator choose(TimePoint now);
  Turn choose_turn(Level& level, TimePoint now, Duration slice, const Loaded& loaded);
  Turn front_of(const Level& level);
  std::optional<Turn> loaded_turn(const Level& level, Duration slice, const Loaded& loaded);

  static constexpr std::size_t kLeastBound = 64;

  Accounts accounts_;
  std::size_t bound_ = kLeastBound;  // of them, when some are forgotten
  std::vector<Entry*> unsettled_;    // that may belong into another level than they are in
  Levels levels_;
  unsigned high_share_ = kDefaultHighShare;
  // Who had the last turn.
  std::optional<AccountId> last_account_;
  std::uint32_t last_level_ = 0;
  Duration last_waited_{};
  Last last_;
  SetAside aside_;
  std::size_t in_line_ = 0;  // commands
};

}  // namespace tbs::sched
