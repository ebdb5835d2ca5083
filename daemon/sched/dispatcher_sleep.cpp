// The part of the dispatcher that lets the machine sleep: what runs comes to an end, nothing new is
// started, the TPM is emptied, and after the sleep it is looked at before anything else.

#include <utility>

#include "daemon/sched/dispatcher.h"

namespace tbs::sched {

void Dispatcher::prepare_sleep(TimePoint now) {
  if (sleep_.falling_asleep()) return;
  const bool at_work = phase_ == Phase::Ready || phase_ == Phase::BringUp;
  if (sleep_.asleep() || !at_work) return enter_suspend(now);
  sleep_.fall_asleep(now);
  settle(now);
}

void Dispatcher::wake_up(TimePoint now) {
  if (sleep_.falling_asleep()) actions_.emplace_back(Quiesced{});
  sleep_.wake_up();
  probe_due_ = true;
  settle(now);
}

bool Dispatcher::work_before_sleep(TimePoint now) {
  idle_at_.reset();
  chore_at_.reset();
  if (sleep_.asleep()) return false;
  if (!std::exchange(sleep_.emptied, true)) {
    if (auto work = engine_.evict_all()) {
      run(std::move(work), std::nullopt, now);
      return true;
    }
  }
  enter_suspend(now);
  return false;
}

void Dispatcher::enter_suspend(TimePoint now) {
  sleep_.enter_suspend(now);
  actions_.emplace_back(Quiesced{});
}

bool Dispatcher::could_cancel() const {
  return running_ && running_->request && running_->cancel == CancelState::None;
}

void Dispatcher::tick_sleep(TimePoint now) {
  if (sleep_.asleep() && now >= sleep_.wake_at) wake_up(now);
  if (!sleep_.falling_asleep()) return;
  if (now >= sleep_.cancel_at && could_cancel()) cancel_running(now);
  if (now >= sleep_.limit) enter_suspend(now);
}

}  // namespace tbs::sched
