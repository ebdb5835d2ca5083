#pragma once

// Runs one command at a time: takes the next request from the queue, walks through its execution,
// answers it exactly once, and carries out cancels. No I/O and no clock: every event is told with
// the time, and what is to be done about it is taken with take_actions().
//
// Life of a request, and what a cancel does in each state:
//
//   queued     removed at once; answered COMMAND_CANCELED
//   running    the device is asked to cancel, and gets kCancelGrace to say how it ended:
//              finished first -> its response; TPM_RC_CANCELED or ECANCELED -> COMMAND_CANCELED
//   detached   the grace is over: answered COMMAND_CANCELED, still on the TPM; what it creates is
//              flushed when it ends, and the next command waits until then
//
// The device goes through
//
//   Closed -> BringUp -> Ready -> Shutdown -> Stopped
//      ^---------+---------'  lost: everything waiting is answered IOERROR

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/exec/execution.h"
#include "daemon/sched/action.h"
#include "daemon/sched/run_queue.h"
#include "daemon/sched/sleep.h"

namespace tbs::sched {

// How long the submitter of a cancelled command waits to be told how it really ended.
inline constexpr std::chrono::milliseconds kCancelGrace{10};

// While the front of the queue would need a swap, commands that need none go before it for this
// many times the cost of a swap: then swapping takes about a sixth of the time at most.
inline constexpr int kSliceInSwaps = 5;
// However slow the swaps are, this is how long one context waits for the others.
inline constexpr std::chrono::milliseconds kMaxSlice{1000};

enum class RunState : std::uint8_t { None, Running, Detached };

// What runs for a context, for listings.
struct RunningView {
  RunState state = RunState::None;
  std::uint32_t priority = 0;
  std::uint32_t command_code = 0;
  TimePoint since;
};

struct Counters {
  std::uint64_t answered = 0;     // client commands answered with a response
  std::uint64_t transmitted = 0;  // TPM commands sent to the device
  std::uint64_t canceled = 0;
  std::uint64_t failed = 0;  // client commands answered IOERROR
};

class Dispatcher {
 public:
  // The longest a TPM command may take before the device counts as hung.
  using DeadlineOf = std::chrono::seconds (*)(std::uint32_t command_code);

  struct Options {
    DeadlineOf deadline_of;
    // How long the TPM must be idle before the engine is asked for its idle housekeeping.
    std::chrono::milliseconds idle_delay{50};
  };

  Dispatcher(exec::Engine& engine, Options options);

  // Percent of the time that a user who is no administrator may have above NORMAL (high_share.h).
  void set_high_share(unsigned percent) { queue_.set_high_share(percent); }

  void open_context(ContextId context, UserId user);
  // Cancels what the context has outstanding, without answers, and lets go of what it owned.
  void close_context(ContextId context, TimePoint now);
  void submit(Request request, TimePoint now);
  void cancel(ContextId context, TimePoint now);
  // See exec::Engine.
  proto::Status make_sticky(ContextId context, std::uint32_t handle, bool sticky) {
    return engine_.make_sticky(context, handle, sticky);
  }

  // The device was opened; the TPM behind it is started next.
  void device_opened(TimePoint now);
  // It could not be opened: what waits for it is answered.
  void device_unavailable(TimePoint now);
  void device_responded(std::vector<std::uint8_t> response, TimePoint now);
  // It gave no response to what was sent last. `canceled`: because the kernel cancelled it.
  void device_failed(const std::string& reason, bool reopen, bool canceled, TimePoint now);

  // No new commands; what waits is cancelled, what runs may end, then the TPM is wound down.
  void stop(bool owns_power, TimePoint now);

  // The machine is about to sleep. What runs may end, and is cancelled when that takes long; what
  // waits is kept, and what comes waits, too. The action Quiesced follows, within kSleepLimit.
  void prepare_sleep(TimePoint now);
  // It has slept, or did not after all: the TPM is looked at, then what waited goes on.
  void wake_up(TimePoint now);

  // When tick() must be called at the latest; nothing when only events matter.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;
  void tick(TimePoint now);

  std::vector<Action> take_actions() { return std::exchange(actions_, {}); }

  [[nodiscard]] exec::Holdings held_by(ContextId context) { return engine_.held_by(context); }
  [[nodiscard]] RunningView running_of(ContextId context) const;
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t queued() const { return queue_.size(); }

 private:
  enum class Phase : std::uint8_t { Closed, Lost, BringUp, Ready, Shutdown, Stopped };
  enum class CancelState : std::uint8_t { None, Grace, Detached };

  // The execution under way: a client's command, or work of the daemon's own (no request).
  struct Running {
    std::unique_ptr<exec::Execution> execution;
    std::optional<Request> request;
    CancelState cancel = CancelState::None;
    bool answered = false;   // or nobody is there to be answered
    bool idle_work = false;  // can be left for later when a command comes
    bool on_device = false;
    bool client_command_on_device = false;
    TimePoint sent;       // what is on the device
    Duration swapping{};  // time spent on steps around the client's command
    TimePoint since;
    TimePoint deadline;     // of the command on the device, or the end of a pause
    TimePoint grace_until;  // with CancelState::Grace
  };

  // Starts what is next until something is under way or nothing is left. A loop and not a
  // recursion: commands answered from memory end at once, and the queue can hold thousands of them.
  void settle(TimePoint now);
  bool start_next(TimePoint now);
  void run(std::unique_ptr<exec::Execution> execution, std::optional<Request> request,
           TimePoint now);
  void apply(exec::Step step, TimePoint now);
  void transmit(exec::Transmit transmit, TimePoint now);
  void finish(exec::Done done, TimePoint now);
  void finish_phase(const exec::Done& done, TimePoint now);
  void cancel_running(TimePoint now);
  void detach();
  void release_running(TimePoint now);
  // Ends what runs without its response.
  void drop_running(TimePoint now);
  void lose_device(const std::string& reason, bool reopen, TimePoint now);
  void answer(const Request& request, proto::Status status,
              std::vector<std::uint8_t> response = {});
  void answer_running(proto::Status status, std::vector<std::uint8_t> response = {});
  [[nodiscard]] bool runs_for(ContextId context) const;
  std::optional<Request> next_request(TimePoint now);
  void wait_for_work(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> work_deadline() const;
  void tick_idle(TimePoint now);
  void tick_sleep(TimePoint now);
  // Starts what is to be done before the machine sleeps; false when that was all.
  bool work_before_sleep(TimePoint now);
  void enter_suspend(TimePoint now);
  [[nodiscard]] bool could_cancel() const;
  void measure_step(TimePoint now);
  void learn_swap_cost();

  exec::Engine& engine_;
  Options options_;
  Phase phase_ = Phase::Closed;
  RunQueue queue_;
  std::optional<Running> running_;
  std::set<ContextId> closing_;  // closed while a command of theirs is on the TPM
  std::optional<TimePoint> idle_at_;
  std::optional<TimePoint>
      chore_at_;  // the engine has work of its own then, if nothing comes before
  Sleep sleep_;
  bool probe_due_ = false;  // the TPM may have been reset: look before the next command
  bool stopping_ = false;
  bool owns_power_ = false;
  std::vector<Action> actions_;
  Counters counters_;
  Duration swap_cost_{};  // of a command that needed loads or evictions, on average
};

}  // namespace tbs::sched
