#include "daemon/sched/runner.h"

#include <algorithm>
#include <utility>

#include "proto/tpm/response_code.h"
#include "proto/tpm_header.h"

namespace tbs::sched {
namespace {

using proto::Status;

std::uint32_t code_of(proto::Bytes message) {
  const auto header = proto::read_tpm_header(message);
  return header ? header->code : 0;
}

}  // namespace

bool Runner::runs_for(ContextId context, std::optional<RequestId> only) const {
  if (!running_ || !running_->work.command) return false;
  const ClientCommand& command = *running_->work.command;
  return command.context() == context && (!only || command.request() == *only);
}

bool Runner::cancellable() const {
  return running_ && running_->work.command && running_->cancel == CancelState::None;
}

RunningView Runner::view_of(ContextId context) const {
  if (!runs_for(context)) return {};
  const ClientCommand& command = *running_->work.command;
  return {
      .state = running_->cancel == CancelState::Detached ? RunState::Detached : RunState::Running,
      .priority = command.priority(),
      .command_code = command.code(),
      .since = running_->since};
}

std::optional<WorkView> Runner::under_way() const {
  if (!running_) return std::nullopt;
  const SharedCommand& command = running_->work.command;
  return WorkView{.kind = running_->work.kind,
                  .context = command ? command->context() : ContextId{},
                  .since = running_->since};
}

std::optional<OnDevice> Runner::on_device() const {
  if (!waits_for_device()) return std::nullopt;
  return OnDevice{.command_code = running_->sent_code,
                  .since = running_->sent,
                  .allowed = running_->deadline - running_->sent};
}

std::optional<TimePoint> Runner::deadline() const {
  if (!running_) return std::nullopt;
  if (running_->cancel == CancelState::Grace && !running_->answered) {
    return std::min(running_->deadline, running_->grace_until);
  }
  return running_->deadline;
}

std::optional<EndedWork> Runner::start(Work work, TimePoint now) {
  const bool nobody_asked = work.command == nullptr;
  running_.emplace(Running{.work = std::move(work), .answered = nobody_asked, .since = now});
  return apply(running_->work.execution->start(), now);
}

std::optional<EndedWork> Runner::adopt(LeftWork left, TimePoint now) {
  const bool nobody_waits = left.work.command == nullptr || left.detached;
  const CancelState cancel = left.detached    ? CancelState::Detached
                             : left.withdrawn ? CancelState::Grace
                                              : CancelState::None;
  running_.emplace(
      Running{.work = std::move(left.work),
              .cancel = cancel,
              .cancel_counted = left.detached,
              .answered = nobody_waits,
              .carried_out = left.carried_out,
              .since = now,
              .grace_until = left.carried_out ? TimePoint::max() : now + kCancelGrace});
  if (!left.step) return apply(running_->work.execution->start(), now);
  auto* const bytes = std::get_if<exec::Transmit>(&*left.step);
  if (bytes == nullptr) return apply(*std::move(left.step), now);
  transmit(std::move(*bytes), true, now);
  if (cancel != CancelState::None && running_->client_command_on_device) {
    actions_.add(CancelOnDevice{});
  }
  return std::nullopt;
}

std::optional<EndedWork> Runner::responded(proto::Bytes response, TimePoint now) {
  running_->on_device = false;
  if (!running_->client_command_on_device) {
    running_->swapping += now - running_->sent;
  } else if (code_of(response) == tpm::rc::kSuccess) {
    running_->carried_out = true;
    running_->grace_until = TimePoint::max();
  }
  return apply(running_->work.execution->on_response(response), now);
}

std::optional<EndedWork> Runner::tick(TimePoint now) {
  if (!running_) return std::nullopt;
  if (running_->cancel == CancelState::Grace && now >= running_->grace_until) detach();
  if (running_->on_device || now < running_->deadline) return std::nullopt;
  return apply(running_->work.execution->on_pause_over(), now);
}

bool Runner::overdue(TimePoint now) const {
  return waits_for_device() && now >= running_->deadline;
}

std::optional<EndedWork> Runner::apply(exec::Step step, TimePoint now) {
  if (auto* const done = std::get_if<exec::Done>(&step)) return finish(std::move(*done), now);
  if (auto* const bytes = std::get_if<exec::Transmit>(&step)) {
    transmit(std::move(*bytes), false, now);
  } else {
    // A cancelled command has no reason to wait for its retry.
    const bool waits = running_->cancel == CancelState::None;
    running_->deadline = waits ? now + std::get<exec::Pause>(step).duration : now;
  }
  return std::nullopt;
}

void Runner::transmit(exec::Transmit transmit, bool resumed, TimePoint now) {
  const std::uint32_t code = transmit.client_command && running_->work.command
                                 ? running_->work.command->code()
                                 : code_of(transmit.command);
  running_->on_device = true;
  running_->transmitted = true;
  running_->deadline = now + deadline_of_(code);
  running_->client_command_on_device = transmit.client_command;
  running_->sent = now;
  running_->sent_code = code;
  actions_.send(
      {.command = std::move(transmit.command), .locality = transmit.locality, .resumed = resumed});
}

EndedWork Runner::finish(exec::Done done, TimePoint now) {
  const Duration swapping = running_->work.command ? running_->swapping : Duration::zero();
  const exec::Later later = cancellable() ? done.later : exec::Later::No;
  if (later == exec::Later::No) answer_with(done);
  EndedWork ended = end(done.status, now);
  ended.swapping = swapping;
  ended.later = later;
  ended.response = std::move(done.response);
  return ended;
}

// The response is taken where it is of use.
void Runner::answer_with(exec::Done& done) {
  const bool canceled =
      running_->cancel != CancelState::None && code_of(done.response) == tpm::rc::kCanceled;
  const bool stopped = canceled || done.status == Status::CommandCanceled;
  count_cancel(stopped ? CancelOutcome::Stopped : CancelOutcome::Finished);
  if (running_->answered) return;
  if (canceled) {
    answer(running_->canceled_as);
  } else {
    answer(done.status, std::move(done.response));
  }
}

EndedWork Runner::drop(TimePoint now, Status status) {
  count_cancel(CancelOutcome::Failed);
  if (!running_->answered) answer(status);
  return end(status, now);
}

EndedWork Runner::end(Status status, TimePoint now) {
  EndedWork ended{.kind = running_->work.kind,
                  .command = std::move(running_->work.command),
                  .status = status,
                  .took = now - running_->since,
                  .swapping = Duration::zero(),
                  .transmitted = running_->transmitted};
  running_.reset();
  return ended;
}

void Runner::cancel(TimePoint now, Status as) {
  Running& running = *running_;
  running.cancel = CancelState::Grace;
  running.canceled_as = as;
  running.grace_until = running.carried_out ? TimePoint::max() : now + kCancelGrace;
  running.work.execution->withdraw();
  if (!running.on_device) {
    // Pausing before a retry: nothing is under way, so the end can come at once.
    running.deadline = now;
  } else if (running.client_command_on_device) {
    actions_.add(CancelOnDevice{});
  }
}

void Runner::canceled_by_kernel() {
  if (running_->cancel != CancelState::Grace) return;
  count_cancel(CancelOutcome::Stopped);
  answer(running_->canceled_as);
}

void Runner::abandon(TimePoint now) {
  running_->answered = true;
  if (running_->cancel == CancelState::None) cancel(now);
  detach();
}

void Runner::make_way() {
  if (running_ && running_->work.kind == WorkKind::IdleMaintenance) {
    running_->work.execution->withdraw();
  }
}

void Runner::detach() {
  count_cancel(CancelOutcome::Detached);
  running_->cancel = CancelState::Detached;
  running_->work.execution->detach();
  if (!running_->answered) answer(running_->canceled_as);
}

void Runner::count_cancel(CancelOutcome outcome) {
  if (running_->cancel == CancelState::None || std::exchange(running_->cancel_counted, true)) {
    return;
  }
  actions_.count_cancels(outcome);
}

void Runner::answer(Status status, std::vector<std::uint8_t> response) {
  running_->answered = true;
  actions_.answer(*running_->work.command, status, std::move(response));
}

}  // namespace tbs::sched
