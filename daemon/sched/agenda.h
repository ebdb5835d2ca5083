#pragma once

// What is to be done next while nothing is under way on the TPM: work of the daemon's own that is
// due, the command whose turn it is, or what brings the TPM to rest, for a stop or for the
// machine's sleep. Knows the times at which something becomes due though nothing happens.

#include <chrono>
#include <memory>
#include <optional>

#include "daemon/base/clock.h"
#include "daemon/exec/execution.h"
#include "daemon/sched/action_list.h"
#include "daemon/sched/handover.h"
#include "daemon/sched/run_queue.h"
#include "daemon/sched/sleep.h"
#include "daemon/sched/swap_cost.h"
#include "daemon/sched/unready.h"
#include "daemon/sched/work.h"

namespace tbs::sched {

class Agenda {
 public:
  // `idle_delay`: how long the TPM must be idle before the engine is asked for its idle
  // housekeeping. Engine and actions must outlive it.
  Agenda(exec::Engine& engine, ActionList& actions, std::chrono::milliseconds idle_delay)
      : engine_(engine), actions_(actions), idle_delay_(idle_delay) {}

  [[nodiscard]] RunQueue& queue() { return queue_; }
  void set_swap_slice(unsigned percent) { swap_cost_.set_slice(percent); }
  [[nodiscard]] const RunQueue& queue() const { return queue_; }

  // The TPM is wound down, after what is due and instead of what waits.
  void stop(bool owns_power);
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] bool owns_power() const { return owns_power_; }

  // The TPM may have been reset: it is looked at before anything else.
  void look_first() { look_first_ = true; }
  // Starts the TPM and looks at it.
  Work bring_up();
  // What is next, or nothing for now. The device must be open.
  std::optional<Work> next(TimePoint now);
  // What a client's command has taught.
  void ended(const EndedWork& work, TimePoint now);
  // It comes later, others first. False when the TPM was asked for it for long enough: as long as
  // it may take, and kPatience at most.
  bool put_back(const EndedWork& work, std::chrono::seconds may_take, TimePoint now);

  // What the context owned is to be removed, and may be in the TPM.
  void context_closed();

  // Whether it is time to ask the engine for work, or to begin a command, though nothing has
  // happened.
  bool maintenance_due(TimePoint now);
  bool command_due(TimePoint now);
  // What can be done after the TPM has been idle for a while.
  std::optional<Work> idle_work(TimePoint now);
  [[nodiscard]] std::optional<TimePoint> deadline() const;

  [[nodiscard]] const Sleep& sleep() const { return sleep_; }
  // The machine is about to sleep: nothing new is started, and the TPM is emptied.
  void fall_asleep(TimePoint now) { sleep_.fall_asleep(now); }
  // It may sleep now.
  void enter_suspend(TimePoint now);
  // It has slept, or did not after all.
  void wake_up();

  [[nodiscard]] Handover& handover() { return handover_; }
  [[nodiscard]] const Handover& handover() const { return handover_; }
  // Whether the TPM is to be handed over, and there is nothing left to be done before.
  [[nodiscard]] bool can_hand_over() const { return handover_.wanted() && handover_.emptied; }

 private:
  std::optional<Work> before_sleep(TimePoint now);
  std::optional<Work> before_handover();
  std::unique_ptr<exec::Execution> housekeeping();
  SharedCommand next_command(TimePoint now);
  void wait_for_work(TimePoint now);

  exec::Engine& engine_;
  ActionList& actions_;
  std::chrono::milliseconds idle_delay_;
  RunQueue queue_;
  Unready unready_;
  SwapCost swap_cost_;
  Sleep sleep_;
  Handover handover_;
  std::optional<TimePoint> idle_at_;
  std::optional<TimePoint> maintenance_at_;
  std::optional<TimePoint> command_at_;
  // Executions of the engine's own since a client's command was last taken up, or since time made
  // something due. One that is due again and again, whatever was done, is given only so many.
  unsigned own_in_a_row_ = 0;
  bool look_first_ = false;
  bool stopping_ = false;
  bool owns_power_ = false;
};

}  // namespace tbs::sched
