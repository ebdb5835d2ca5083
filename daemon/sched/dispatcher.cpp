#include "daemon/sched/dispatcher.h"

#include <algorithm>
#include <utility>

#include "proto/tpm_header.h"

namespace tbs::sched {
namespace {

using proto::Status;

// Works that end without the TPM, one after the other.
constexpr unsigned kMostAtOnce = 16;

}  // namespace

void Dispatcher::close_context(ContextId context, TimePoint now) {
  const std::size_t waiting = agenda_.queue().remove(context).size();
  actions_.count_canceled(waiting);
  actions_.count_cancels(CancelOutcome::Queued, waiting);
  if (runner_.runs_for(context)) {
    // The engine still needs the context for the command on the TPM.
    closing_.insert(context);
    runner_.abandon(now);
    return;
  }
  times_.forget(context);
  engine_.close_context(context);
  agenda_.context_closed();
  settle(now);
}

void Dispatcher::submit(SharedCommand command, TimePoint now) {
  if (agenda_.stopping()) {
    actions_.answer(*command, Status::ServiceNotRunning);
    return;
  }
  if (device_ == Device::Lost) {
    actions_.answer(*command, Status::IoError);
    return;
  }
  if (agenda_.handover().refuses(now)) {
    actions_.answer(*command, Status::ServiceStartPending);
    return;
  }
  agenda_.queue().push(std::move(command), now);
  runner_.make_way();
  settle(now);
}

void Dispatcher::cancel(ContextId context, std::optional<RequestId> only, TimePoint now) {
  for (const SharedCommand& command : agenda_.queue().remove(context, only)) {
    actions_.answer(*command, Status::CommandCanceled);
    actions_.count_cancels(CancelOutcome::Queued);
  }
  if (runner_.runs_for(context, only) && runner_.cancellable()) runner_.cancel(now);
}

void Dispatcher::device_opened(TimePoint now) {
  device_ = Device::Open;
  if (auto work = runner_.start(agenda_.bring_up(), now)) ended(*std::move(work), now);
  settle(now);
}

void Dispatcher::device_adopted(std::optional<LeftWork> left, TimePoint now) {
  device_ = Device::Open;
  if (left) {
    if (auto work = runner_.adopt(*std::move(left), now)) ended(*std::move(work), now);
  }
  settle(now);
}

void Dispatcher::device_left_behind(std::optional<LeftWork> left, const std::string& reason,
                                    TimePoint now) {
  device_ = Device::Open;
  if (left && left->work.command != nullptr && !left->detached) {
    actions_.answer(*left->work.command, Status::IoError);
  }
  left.reset();
  engine_.device_lost();
  give_up_device(reason, now);
}

void Dispatcher::device_unavailable(TimePoint now) {
  device_ = Device::Lost;
  recovery_.end();
  if (agenda_.sleep().falling_asleep()) agenda_.enter_suspend(now);
  for (const SharedCommand& command : agenda_.queue().clear()) {
    actions_.answer(*command, Status::IoError);
  }
  if (agenda_.stopping()) return stopped();
  if (agenda_.handover().wanted()) give(now);
}

void Dispatcher::device_responded(proto::Bytes response, TimePoint now) {
  if (!runner_.waits_for_device()) return;
  if (!proto::read_tpm_header(response)) {
    device_failed("the TPM's answer is no TPM response", false, false, now);
    return;
  }
  if (auto work = runner_.responded(response, now)) ended(*std::move(work), now);
  settle(now);
}

void Dispatcher::device_failed(const std::string& reason, bool reopen, bool canceled,
                               TimePoint now) {
  // What was given up on a missed deadline fails once more when the device is closed.
  if (!runner_.waits_for_device()) return;
  if (canceled) runner_.canceled_by_kernel();
  const bool brings_up = runner_.kind() == WorkKind::BringUp;
  if (!reopen && !brings_up && runner_.kind() != WorkKind::Shutdown) {
    const OnDevice sent = *runner_.on_device();
    if (!canceled) recovery_.begin(sent.since + sent.allowed);
    // Nothing else was lost: what the command has left on the TPM is found by looking.
    release(runner_.drop(now), now);
    device_opened(now);
  } else if (!reopen && brings_up && !agenda_.stopping() && recovery_.ask_later(now)) {
    release(runner_.drop(now), now);
    agenda_.look_first();
    actions_.add(DeviceBusy{reason});
  } else {
    lose_device(reason, now);
  }
}

void Dispatcher::device_refused(Status status, const std::string& reason, TimePoint now) {
  if (!runner_.waits_for_device()) return;
  if (runner_.kind() != WorkKind::Command) return lose_device(reason, now);
  release(runner_.drop(now, status), now);
  settle(now);
}

void Dispatcher::device_gone(const std::string& reason, TimePoint now) {
  if (device_ != Device::Open) return;
  if (runner_.busy()) return lose_device(reason, now);
  engine_.device_lost();
  give_up_device(reason, now);
}

void Dispatcher::look_again(TimePoint now) {
  agenda_.look_first();
  settle(now);
}

void Dispatcher::stop(bool owns_power, TimePoint now) {
  agenda_.stop(owns_power);
  for (const SharedCommand& command : agenda_.queue().clear()) {
    actions_.answer(*command, Status::ServiceNotRunning);
  }
  if (device_ == Device::Closed || device_ == Device::Lost) {
    stopped();
  } else if (runner_.cancellable()) {
    runner_.cancel(now, Status::ServiceNotRunning);
  } else {
    settle(now);
  }
}

void Dispatcher::prepare_sleep(TimePoint now) {
  if (agenda_.sleep().falling_asleep()) return;
  const bool shutting_down = runner_.busy() && runner_.kind() == WorkKind::Shutdown;
  const bool at_work = device_ == Device::Open && !shutting_down;
  if (agenda_.sleep().asleep() || !at_work) return agenda_.enter_suspend(now);
  agenda_.fall_asleep(now);
  settle(now);
}

void Dispatcher::wake_up(TimePoint now) {
  agenda_.wake_up();
  settle(now);
}

void Dispatcher::hand_over(const HandoverTerms& terms, TimePoint now) {
  if (agenda_.stopping() || agenda_.handover().away()) return;
  agenda_.handover().ask(terms);
  device_ == Device::Open ? settle(now) : give(now);
}

void Dispatcher::take_back(TimePoint now) {
  agenda_.handover().take_back();
  settle(now);
}

void Dispatcher::handed_over_before(const HandoverDeadlines& until, TimePoint now) {
  if (device_ == Device::Open) {
    device_ = Device::Closed;
    engine_.device_lost();
  }
  agenda_.handover().given_until(until);
  tick(now);
}

// The device is closed without a word to the clients: nothing of theirs is on the TPM.
void Dispatcher::give(TimePoint now) {
  device_ = Device::Closed;
  recovery_.end();
  agenda_.handover().give(now);
  engine_.device_lost();
  actions_.add(HandedOver{});
}

void Dispatcher::refuse_waiting() {
  for (const SharedCommand& command : agenda_.queue().clear()) {
    actions_.answer(*command, Status::ServiceStartPending);
  }
}

TpmActivity Dispatcher::activity(TimePoint now) const {
  const Sleep& sleep = agenda_.sleep();
  return {.work = runner_.under_way(),
          .asleep = sleep.asleep() || sleep.falling_asleep(),
          .highest = agenda_.queue().highest(now)};
}

ContextActivity Dispatcher::activity_of(AccountId account, ContextId context, TimePoint now) const {
  const RunningView running = runner_.view_of(context);
  const bool runs = running.state != RunState::None;
  return {.worked = times_.of(context) + (runs ? now - running.since : Duration::zero()),
          .waiting = agenda_.queue().waiting_of(account, context, now)};
}

std::optional<TimePoint> Dispatcher::next_deadline() const {
  const Handover& handover = agenda_.handover();
  std::optional<TimePoint> of_work = runner_.busy() ? runner_.deadline() : next_of_agenda();
  if (handover.away()) of_work = handover.next_deadline(!agenda_.queue().empty());
  return earliest(of_work, agenda_.sleep().next_deadline(runner_.cancellable()));
}

std::optional<TimePoint> Dispatcher::next_of_agenda() const {
  const bool asks = recovery_.ask_at() && !agenda_.sleep().asleep();
  return asks ? recovery_.ask_at() : agenda_.deadline();
}

void Dispatcher::tick(TimePoint now) {
  if (agenda_.handover().refuses(now)) refuse_waiting();
  if (agenda_.handover().overdue(now)) {
    agenda_.handover().end();
    actions_.add(HandoverOver{});
  }
  const Sleep& sleep = agenda_.sleep();
  if (sleep.asleep() && now >= sleep.wake_at) wake_up(now);
  if (sleep.falling_asleep()) {
    if (now >= sleep.cancel_at && runner_.cancellable()) runner_.cancel(now);
    if (now >= sleep.limit) agenda_.enter_suspend(now);
  }
  if (std::exchange(goes_on_, false)) settle(now);
  if (runner_.overdue(now)) {
    // The grace of a cancel may be over as well; then that is the answer.
    runner_.tick(now);
    lose_device("the TPM did not answer within the deadline of its command", now);
  } else if (runner_.busy()) {
    if (auto work = runner_.tick(now)) ended(*std::move(work), now);
    settle(now);
  } else if (recovery_.ask_at() || agenda_.maintenance_due(now) || agenda_.command_due(now)) {
    settle(now);
  } else if (auto work = agenda_.idle_work(now)) {
    if (auto end = runner_.start(*std::move(work), now)) ended(*std::move(end), now);
    settle(now);
  }
}

void Dispatcher::settle(TimePoint now) {
  if (goes_on_ || (recovery_.holds(now) && !agenda_.stopping())) return;
  for (unsigned done = 0; !runner_.busy() && device_ == Device::Open; ++done) {
    if (done == kMostAtOnce) {
      goes_on_ = true;
      actions_.add(GoOn{});
      return;
    }
    auto work = agenda_.next(now);
    if (!work) {
      if (agenda_.can_hand_over()) give(now);
      return;
    }
    if (auto end = runner_.start(*std::move(work), now)) ended(*std::move(end), now);
  }
}

void Dispatcher::ended(EndedWork work, TimePoint now) {
  release(work, now);
  if (work.later != exec::Later::No) {
    if (agenda_.put_back(work, deadline_of_(work.command->code()), now)) return;
    actions_.answer(*work.command, work.status, std::move(work.response));
  }
  if (work.kind == WorkKind::Shutdown) stopped();
  if (work.kind != WorkKind::BringUp) return;
  if (work.status == Status::Success) {
    recovery_.end();
    actions_.add(DeviceReady{});
  } else {
    device_unavailable(now);
    actions_.add(DeviceUnusable{"the TPM could not be started"});
  }
}

// Its time is charged whatever became of it, also when its context has been closed meanwhile.
void Dispatcher::release(const EndedWork& work, TimePoint now) {
  agenda_.ended(work, now);
  if (!work.command) return;
  const ContextId context = work.command->context();
  if (closing_.erase(context) > 0) {
    times_.forget(context);
    engine_.close_context(context);
  } else if (work.transmitted) {
    times_.add(context, work.took);
  }
}

void Dispatcher::stopped() {
  device_ = Device::Stopped;
  recovery_.end();
  actions_.add(Stopped{});
}

void Dispatcher::lose_device(const std::string& reason, TimePoint now) {
  const EndedWork work = runner_.drop(now);
  release(work, now);
  engine_.device_lost();
  if (work.kind == WorkKind::Shutdown) {
    stopped();
  } else {
    give_up_device(reason, now);
  }
}

void Dispatcher::give_up_device(const std::string& reason, TimePoint now) {
  device_unavailable(now);
  if (device_ != Device::Stopped) actions_.add(ReopenDevice{reason});
}

}  // namespace tbs::sched
