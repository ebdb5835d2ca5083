#include "daemon/sched/dispatcher.h"

#include <algorithm>
#include <utility>

#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::sched {
namespace {

using proto::Status;

std::uint32_t code_of(std::span<const std::uint8_t> message) {
  const auto header = proto::read_tpm_header(message);
  return header ? header->code : 0;
}

std::optional<TimePoint> earliest(std::optional<TimePoint> one, std::optional<TimePoint> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

}  // namespace

Dispatcher::Dispatcher(exec::Engine& engine, Options options)
    : engine_(engine), options_(options) {}

void Dispatcher::open_context(ContextId context, UserId user) {
  engine_.open_context(context, user);
}

void Dispatcher::close_context(ContextId context, TimePoint now) {
  counters_.canceled += queue_.remove(context).size();
  if (runs_for(context)) {
    // The engine still needs the context for the command on the TPM.
    closing_.insert(context);
    running_->answered = true;
    if (running_->cancel == CancelState::None) cancel_running(now);
    detach();
    return;
  }
  engine_.close_context(context);
  settle(now);
}

void Dispatcher::submit(Request request, TimePoint now) {
  if (stopping_) {
    answer(request, Status::CommandCanceled);
    return;
  }
  if (phase_ == Phase::Lost) {
    answer(request, Status::IoError);
    return;
  }
  queue_.push(std::move(request), now);
  if (running_ && running_->idle_work) running_->execution->withdraw();
  settle(now);
}

void Dispatcher::cancel(ContextId context, TimePoint now) {
  for (const Request& request : queue_.remove(context)) {
    answer(request, Status::CommandCanceled);
  }
  if (runs_for(context) && running_->cancel == CancelState::None) cancel_running(now);
}

void Dispatcher::device_opened(TimePoint now) {
  phase_ = Phase::BringUp;
  probe_due_ = false;
  run(engine_.bring_up(), std::nullopt, now);
  settle(now);
}

void Dispatcher::device_unavailable(TimePoint now) {
  phase_ = Phase::Lost;
  if (sleep_.falling_asleep()) enter_suspend(now);
  for (const Request& request : queue_.clear()) answer(request, Status::IoError);
  if (stopping_) stop(owns_power_, now);
}

void Dispatcher::device_responded(std::vector<std::uint8_t> response, TimePoint now) {
  if (!running_ || !running_->on_device) return;
  running_->on_device = false;
  measure_step(now);
  if (code_of(response) == 0 && !proto::read_tpm_header(response)) {
    lose_device("the TPM's answer is no TPM response", true, now);
    return;
  }
  apply(running_->execution->on_response(response), now);
  settle(now);
}

void Dispatcher::device_failed(const std::string& reason, bool reopen, bool canceled,
                               TimePoint now) {
  // What was given up on a missed deadline fails once more when the device is closed.
  if (!running_ || !running_->on_device) return;
  if (canceled && running_->cancel == CancelState::Grace) {
    answer_running(Status::CommandCanceled);
  }
  if (canceled && !reopen && phase_ == Phase::Ready) {
    // Nothing else was lost: what the command has left on the TPM is found by looking.
    drop_running(now);
    device_opened(now);
    settle(now);
    return;
  }
  lose_device(reason, reopen, now);
}

void Dispatcher::stop(bool owns_power, TimePoint now) {
  stopping_ = true;
  owns_power_ = owns_power;
  if (sleep_.falling_asleep()) actions_.emplace_back(Quiesced{});
  sleep_.wake_up();
  for (const Request& request : queue_.clear()) answer(request, Status::CommandCanceled);
  if (phase_ == Phase::Closed || phase_ == Phase::Lost) {
    phase_ = Phase::Stopped;
    actions_.emplace_back(Stopped{});
  } else if (running_ && running_->request && running_->cancel == CancelState::None) {
    cancel_running(now);
  } else {
    settle(now);
  }
}

std::optional<TimePoint> Dispatcher::next_deadline() const {
  return earliest(work_deadline(), sleep_.next_deadline(could_cancel()));
}

std::optional<TimePoint> Dispatcher::work_deadline() const {
  if (!running_) return earliest(chore_at_, idle_at_);
  if (running_->cancel == CancelState::Grace && !running_->answered) {
    return std::min(running_->deadline, running_->grace_until);
  }
  return running_->deadline;
}

void Dispatcher::tick(TimePoint now) {
  tick_sleep(now);
  if (!running_) {
    tick_idle(now);
    return;
  }
  if (running_->cancel == CancelState::Grace && now >= running_->grace_until) detach();
  if (now < running_->deadline) return;
  if (!running_->on_device) {
    apply(running_->execution->on_pause_over(), now);
    settle(now);
    return;
  }
  lose_device("the TPM did not answer within the deadline of its command", true, now);
}

void Dispatcher::tick_idle(TimePoint now) {
  if (chore_at_ && now >= *chore_at_) {
    chore_at_.reset();
    settle(now);
  } else if (idle_at_ && now >= *idle_at_) {
    idle_at_.reset();
    auto work = engine_.idle_housekeeping();
    if (work == nullptr) return;
    run(std::move(work), std::nullopt, now);
    if (running_) running_->idle_work = true;
    settle(now);
  }
}

RunningView Dispatcher::running_of(ContextId context) const {
  if (!runs_for(context)) return {};
  return {
      .state = running_->cancel == CancelState::Detached ? RunState::Detached : RunState::Running,
      .priority = running_->request->priority,
      .command_code = code_of(running_->request->command),
      .since = running_->since};
}

void Dispatcher::settle(TimePoint now) {
  while (!running_ && phase_ == Phase::Ready && start_next(now)) {
  }
}

bool Dispatcher::start_next(TimePoint now) {
  idle_at_.reset();
  if (sleep_.asleep()) return work_before_sleep(now);
  if (std::exchange(probe_due_, false)) {
    phase_ = Phase::BringUp;
    run(engine_.bring_up(), std::nullopt, now);
    return true;
  }
  if (auto work = engine_.housekeeping()) {
    run(std::move(work), std::nullopt, now);
    return true;
  }
  if (stopping_) {
    phase_ = Phase::Shutdown;
    run(engine_.shutdown(owns_power_), std::nullopt, now);
    return true;
  }
  if (sleep_.falling_asleep()) return work_before_sleep(now);
  if (auto request = next_request(now)) {
    auto execution = engine_.execute(request->context, request->locality, request->command);
    run(std::move(execution), std::move(request), now);
    return true;
  }
  wait_for_work(now);
  return false;
}

void Dispatcher::wait_for_work(TimePoint now) {
  idle_at_ = now + options_.idle_delay;
  chore_at_ = engine_.next_maintenance();
  // The engine was asked just now and had nothing: asking again at once would be no different.
  if (chore_at_ && *chore_at_ <= now) chore_at_.reset();
}

std::optional<Request> Dispatcher::next_request(TimePoint now) {
  const Duration slice = std::min<Duration>(swap_cost_ * kSliceInSwaps, kMaxSlice);
  return queue_.pop(now, slice, [this](const Request& request) {
    return engine_.loads_needed(request.context, request.command) == 0;
  });
}

void Dispatcher::measure_step(TimePoint now) {
  if (!running_->client_command_on_device) running_->swapping += now - running_->sent;
}

void Dispatcher::learn_swap_cost() {
  if (!running_->request || running_->swapping == Duration::zero()) return;
  // A moving average: chips differ by a factor of a hundred, and keys by ten.
  constexpr int kWeight = 8;
  swap_cost_ = swap_cost_ == Duration::zero()
                   ? running_->swapping
                   : swap_cost_ + (running_->swapping - swap_cost_) / kWeight;
}

void Dispatcher::run(std::unique_ptr<exec::Execution> execution, std::optional<Request> request,
                     TimePoint now) {
  const bool internal = !request.has_value();
  running_.emplace(Running{.execution = std::move(execution),
                           .request = std::move(request),
                           .answered = internal,
                           .since = now});
  apply(running_->execution->start(), now);
}

void Dispatcher::apply(exec::Step step, TimePoint now) {
  if (auto* const bytes = std::get_if<exec::Transmit>(&step)) {
    transmit(std::move(*bytes), now);
  } else if (const auto* const pause = std::get_if<exec::Pause>(&step)) {
    running_->deadline = now + pause->duration;
    // A cancelled command has no reason to wait for its retry.
    if (running_->cancel != CancelState::None) running_->deadline = now;
  } else {
    finish(std::move(std::get<exec::Done>(step)), now);
  }
}

void Dispatcher::transmit(exec::Transmit transmit, TimePoint now) {
  running_->on_device = true;
  running_->deadline = now + options_.deadline_of(code_of(transmit.command));
  running_->client_command_on_device = transmit.client_command;
  running_->sent = now;
  ++counters_.transmitted;
  actions_.emplace_back(
      SendToDevice{.command = std::move(transmit.command), .locality = transmit.locality});
}

void Dispatcher::finish(exec::Done done, TimePoint now) {
  if (running_->request && !running_->answered) {
    const bool canceled =
        running_->cancel != CancelState::None && code_of(done.response) == tpm::rc::kCanceled;
    if (canceled) {
      answer_running(Status::CommandCanceled);
    } else {
      answer_running(done.status, std::move(done.response));
    }
  }
  learn_swap_cost();
  release_running(now);
  if (phase_ != Phase::Ready) finish_phase(done, now);
}

// Its time is charged whatever became of it, also when its context has been closed meanwhile.
void Dispatcher::release_running(TimePoint now) {
  const auto request = std::move(running_->request);
  const Duration took = now - running_->since;
  running_.reset();
  if (!request) return;
  queue_.finished(took, now);
  if (closing_.erase(request->context) > 0) engine_.close_context(request->context);
}

void Dispatcher::finish_phase(const exec::Done& done, TimePoint now) {
  if (phase_ == Phase::Shutdown) {
    phase_ = Phase::Stopped;
    actions_.emplace_back(Stopped{});
  } else if (done.status == Status::Success) {
    phase_ = Phase::Ready;
    actions_.emplace_back(DeviceReady{});
  } else {
    device_unavailable(now);
    actions_.emplace_back(DeviceUnusable{"the TPM could not be started"});
  }
}

void Dispatcher::cancel_running(TimePoint now) {
  Running& running = *running_;
  running.cancel = CancelState::Grace;
  running.grace_until = now + kCancelGrace;
  running.execution->withdraw();
  if (!running.on_device) {
    // Pausing before a retry: nothing is under way, so the end can come at once.
    running.deadline = now;
  } else if (running.client_command_on_device) {
    actions_.emplace_back(CancelOnDevice{});
  }
}

void Dispatcher::detach() {
  running_->cancel = CancelState::Detached;
  running_->execution->detach();
  if (!running_->answered) answer_running(Status::CommandCanceled);
}

void Dispatcher::drop_running(TimePoint now) {
  if (!running_) return;
  if (!running_->answered) answer_running(Status::IoError);
  release_running(now);
}

void Dispatcher::lose_device(const std::string& reason, bool reopen, TimePoint now) {
  drop_running(now);
  engine_.device_lost();
  if (phase_ == Phase::Shutdown) {
    phase_ = Phase::Stopped;
    actions_.emplace_back(Stopped{});
  } else if (!reopen && phase_ == Phase::Ready) {
    device_opened(now);
  } else {
    device_unavailable(now);
    if (phase_ != Phase::Stopped) actions_.emplace_back(ReopenDevice{reason});
  }
}

void Dispatcher::answer(const Request& request, Status status, std::vector<std::uint8_t> response) {
  if (status == Status::Success) ++counters_.answered;
  if (status == Status::CommandCanceled) ++counters_.canceled;
  if (status == Status::IoError) ++counters_.failed;
  actions_.emplace_back(Answer{.context = request.context,
                               .request = request.id,
                               .status = status,
                               .response = std::move(response)});
}

void Dispatcher::answer_running(Status status, std::vector<std::uint8_t> response) {
  running_->answered = true;
  answer(*running_->request, status, std::move(response));
}

bool Dispatcher::runs_for(ContextId context) const {
  return running_ && running_->request && running_->request->context == context;
}

}  // namespace tbs::sched
