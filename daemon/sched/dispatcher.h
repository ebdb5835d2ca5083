#pragma once

// One command at a time: tells the queue, the runner and the engine what happens, so that every
// command that came is answered exactly once. No I/O and no clock: every event is told with the
// time, and what is to be done about it is taken with take_actions().
//
//   run_queue   commands that wait, or are put off; a cancel removes them at once
//   agenda      what is next: work of the daemon's own, a command, or rest
//   runner      what is under way; its deadlines and its cancel
//
// The device goes through
//
//   Closed -> Open -> Stopped
//     ^ ^      |
//     | '------+  handed over to somebody else: what waits is kept
//     '- Lost -'  everything waiting is answered IOERROR
//
// and whenever it has become Open, the TPM behind it is brought up before anything else.

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/exec/execution.h"
#include "daemon/sched/action_list.h"
#include "daemon/sched/agenda.h"
#include "daemon/sched/context_times.h"
#include "daemon/sched/recovery.h"
#include "daemon/sched/runner.h"
#include "proto/byte_reader.h"

namespace tbs::sched {

// What the TPM does, for listings.
struct TpmActivity {
  std::optional<WorkView> work;
  bool asleep = false;        // the machine sleeps, or is about to: nothing new is begun
  std::uint32_t highest = 0;  // priority that waits, as far as it counts
};

// And what it does for one context.
struct ContextActivity {
  Duration worked{};  // with what is under way
  std::optional<WaitingView> waiting;
};

class Dispatcher {
 public:
  struct Options {
    DeadlineOf deadline_of;
    // How long the TPM must be idle before the engine is asked for its idle housekeeping.
    std::chrono::milliseconds idle_delay{50};
  };

  Dispatcher(exec::Engine& engine, Options options)
      : engine_(engine),
        agenda_(engine, actions_, options.idle_delay),
        runner_(actions_, options.deadline_of),
        deadline_of_(options.deadline_of) {}

  // See RunQueue.
  [[nodiscard]] QueueCredit credit() const { return agenda_.queue().credit(); }
  void restore(const QueueCredit& credit) { agenda_.queue().restore(credit); }
  // Percent of the time that one who is no administrator may have above NORMAL (high_share.h).
  void set_high_share(unsigned percent) { agenda_.queue().set_high_share(percent); }
  void set_swap_slice(unsigned percent) { agenda_.set_swap_slice(percent); }

  // Cancels what the context has outstanding, without answers, and has the engine let go of what it
  // owned.
  void close_context(ContextId context, TimePoint now);
  void submit(SharedCommand command, TimePoint now);
  // All that it has outstanding, or the one command with this number.
  void cancel(ContextId context, std::optional<RequestId> only, TimePoint now);
  void cancel(ContextId context, TimePoint now) { cancel(context, std::nullopt, now); }

  // The device was opened; the TPM behind it is started next.
  void device_opened(TimePoint now);
  // It was open in the process before this one, with this under way on it, and is still.
  void device_adopted(std::optional<LeftWork> left, TimePoint now);
  // The same, but it is no longer: what was under way is answered.
  void device_left_behind(std::optional<LeftWork> left, const std::string& reason, TimePoint now);
  // It could not be opened: what waits for it is answered.
  void device_unavailable(TimePoint now);
  void device_responded(proto::Bytes response, TimePoint now);
  // It gave no response to what was sent last. `canceled`: because the kernel cancelled it. When it
  // need not be opened anew, the TPM has all that it had, and may still be at work.
  void device_failed(const std::string& reason, bool reopen, bool canceled, TimePoint now);
  // It did not take what was sent last, of which the TPM knows nothing; nothing else has happened.
  void device_refused(proto::Status status, const std::string& reason, TimePoint now);

  // The device is of no more use, whatever runs on it.
  void device_gone(const std::string& reason, TimePoint now);
  // The engine may have work of its own now that it did not have.
  void look_for_work(TimePoint now) { settle(now); }
  // The TPM is looked at before anything else, when what runs has ended.
  void look_again(TimePoint now);

  // No new commands; what waits is cancelled, what runs may end, then the TPM is wound down.
  void stop(bool owns_power, TimePoint now);

  // The machine is about to sleep. What runs may end, and is cancelled when that takes long; what
  // waits is kept, and what comes waits, too. The action Quiesced follows, within kSleepLimit.
  void prepare_sleep(TimePoint now);
  // It has slept, or did not after all: the TPM is looked at, then what waited goes on.
  void wake_up(TimePoint now);

  // The TPM is wanted by somebody else. What runs may end, however long it takes; what waits is
  // kept, and what comes waits, too: for so long, then it is answered. The action HandedOver
  // follows, and HandoverOver when the time is over.
  void hand_over(const HandoverTerms& terms, TimePoint now);
  // Before or after that: the device, if it was closed, is being opened again.
  void take_back(TimePoint now);
  // The process before this one had handed it over, until then: so has this one. Before the device
  // is opened.
  void handed_over_before(const HandoverDeadlines& until, TimePoint now);
  [[nodiscard]] bool handed_over() const { return agenda_.handover().away(); }
  [[nodiscard]] const HandoverDeadlines& handover_deadlines() const {
    return agenda_.handover().deadlines;
  }

  // When tick() must be called at the latest; nothing when only events matter. After the action
  // GoOn it is called as well, when the loop has done what else there is.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  void tick(TimePoint now);

  // `done`: those taken before, to be used again.
  std::vector<Action> take_actions(std::vector<Action> done = {}) {
    return actions_.take(std::move(done));
  }

  [[nodiscard]] RunningView running_of(ContextId context) const { return runner_.view_of(context); }
  [[nodiscard]] std::optional<OnDevice> on_device() const { return runner_.on_device(); }
  [[nodiscard]] TpmActivity activity(TimePoint now) const;
  [[nodiscard]] ContextActivity activity_of(AccountId account, ContextId context,
                                            TimePoint now) const;
  [[nodiscard]] const Counters& counters() const { return actions_.counters(); }
  [[nodiscard]] std::size_t queued() const { return agenda_.queue().size(); }

 private:
  enum class Device : std::uint8_t { Closed, Open, Lost, Stopped };

  // Starts what is next until something is under way or nothing is left. A loop and not a
  // recursion: commands answered from memory end at once. The queue can hold thousands of them, so
  // it stops after a few.
  void settle(TimePoint now);
  void ended(EndedWork work, TimePoint now);
  void release(const EndedWork& work, TimePoint now);
  void stopped();
  void give(TimePoint now);
  void refuse_waiting();
  void lose_device(const std::string& reason, TimePoint now);
  void give_up_device(const std::string& reason, TimePoint now);
  [[nodiscard]] std::optional<TimePoint> next_of_agenda() const;

  exec::Engine& engine_;
  ActionList actions_;
  Agenda agenda_;
  Runner runner_;
  DeadlineOf deadline_of_;
  ContextTimes times_;
  Recovery recovery_;
  Device device_ = Device::Closed;
  bool goes_on_ = false;         // GoOn was asked for
  std::set<ContextId> closing_;  // closed while a command of theirs is on the TPM
};

}  // namespace tbs::sched
