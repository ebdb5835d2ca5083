#include "daemon/restart/replay.h"

#include <algorithm>
#include <utility>

#include "daemon/restart/command_record.h"
#include "daemon/restart/outcome.h"
#include "proto/tpm_header.h"

namespace tbs::restart {
namespace {

bool succeeded(proto::Bytes response) {
  const auto header = proto::read_tpm_header(response);
  return header && header->code == 0;
}

}  // namespace

std::expected<void, std::string> Replay::tell(const Input& input) {
  RecordReader record(input.bytes);
  if (!may_come(input.kind)) {
    record.fail("it cannot come at this place");
  } else if (input.kind >= InputKind::Execute && input.kind <= InputKind::Shutdown) {
    make(input.kind, record);
  } else if (input.kind >= InputKind::Start && input.kind <= InputKind::PauseOver) {
    step(input.kind, record);
  } else {
    call(input.kind, record);
  }
  outside_.end();
  record.end();
  ++told_;
  if (record.ok()) return {};
  return std::unexpected(record.reason());
}

// One thing is under way at a time, and what it points to stays there meanwhile.
bool Replay::may_come(InputKind kind) const {
  switch (kind) {
    case InputKind::Execute:
    case InputKind::Housekeeping:
    case InputKind::IdleHousekeeping:
    case InputKind::EvictAll:
    case InputKind::BringUp:
    case InputKind::Shutdown:
    case InputKind::DeviceLost:
      return !live_;
    case InputKind::Start:
      return live_ && !live_->step;
    case InputKind::Response:
      return live_ && live_->step && std::holds_alternative<exec::Transmit>(*live_->step);
    case InputKind::PauseOver:
      return live_ && live_->step && std::holds_alternative<exec::Pause>(*live_->step);
    case InputKind::Withdraw:
    case InputKind::Detach:
    case InputKind::Dropped:
      return live_.has_value();
    case InputKind::OpenContext:
    case InputKind::SkipHandles:
    case InputKind::Inherit:
    case InputKind::CloseContext:
    case InputKind::MakeSticky:
    case InputKind::Apply:
      return true;
  }
  return false;
}

// The rest of the record is what was asked meanwhile, and what came of it.
template <typename Tell>
void Replay::run(RecordReader& record, const Tell& tell) {
  if (!record.ok()) return;
  outside_.replay(record);
  tell();
}

template <typename Result>
void Replay::compare(const Result& result, RecordReader& record) {
  outside_.end();
  if (!record.ok()) return;
  proto::Buffer now;
  RecordWriter writer(now);
  note(result, writer);
  record.require(std::ranges::equal(record.rest(), now), "something else comes of it than before");
}

void Replay::call(InputKind kind, RecordReader& record) {
  ContextId context{};
  Principal principal{};
  std::uint32_t handle = 0;  // or how many connections were lost
  bool sticky = false;
  switch (kind) {
    case InputKind::OpenContext:
      record(context, principal);
      return run(record, [&] { engine_.open_context(context, principal); });
    case InputKind::SkipHandles:
      record(context, handle);
      return run(record, [&] { engine_.skip_handles(context, handle); });
    case InputKind::Inherit: {
      ContextId from{};
      record(context, from);
      return run(record, [&] { engine_.inherit(context, from); });
    }
    case InputKind::CloseContext:
      record(context);
      return run(record, [&] { engine_.close_context(context); });
    case InputKind::MakeSticky:
      record(context, handle, sticky);
      return run(record, [&] { compare(engine_.make_sticky(context, handle, sticky), record); });
    case InputKind::DeviceLost:
      return run(record, [&] { engine_.device_lost(); });
    case InputKind::Withdraw:
      live_->withdrawn = true;
      return run(record, [&] { live_->execution->withdraw(); });
    case InputKind::Detach:
      live_->withdrawn = live_->detached = true;
      return run(record, [&] { live_->execution->detach(); });
    case InputKind::Dropped:
      return run(record, [&] { live_.reset(); });
    default: {
      const Setting setting = restore_setting(record);
      return run(record, [&] { state_.apply(setting); });
    }
  }
}

void Replay::make(InputKind kind, RecordReader& record) {
  auto made = made_by(kind, record);
  compare(made, record);
  SharedCommand command = std::exchange(command_, nullptr);
  if (!record.ok() || made == nullptr) return;
  live_.emplace(Live{.execution = std::move(made), .origin = kind, .command = std::move(command)});
}

std::unique_ptr<exec::Execution> Replay::made_by(InputKind kind, RecordReader& record) {
  bool owns_power = false;
  if (kind == InputKind::Execute) {
    ContextId context{};
    RequestId request{};
    record(context, request);
    command_ = restore_command(record);
  }
  if (kind == InputKind::Shutdown) record(owns_power);
  if (!record.ok()) return nullptr;
  outside_.replay(record);
  switch (kind) {
    case InputKind::Execute:
      return engine_.execute(command_);
    case InputKind::Housekeeping:
      return engine_.housekeeping();
    case InputKind::IdleHousekeeping:
      return engine_.idle_housekeeping();
    case InputKind::EvictAll:
      return engine_.evict_all();
    case InputKind::BringUp:
      return engine_.bring_up();
    default:
      return engine_.shutdown(owns_power);
  }
}

void Replay::step(InputKind kind, RecordReader& record) {
  exec::Step step = take_step(kind, record);
  compare(step, record);
  if (record.ok()) follow(std::move(step));
}

exec::Step Replay::take_step(InputKind kind, RecordReader& record) {
  exec::Execution& execution = *live_->execution;
  const proto::Bytes response = kind == InputKind::Response ? record.bytes() : proto::Bytes{};
  if (!record.ok()) return exec::Done{};
  outside_.replay(record);
  if (kind == InputKind::Start) return execution.start();
  if (kind == InputKind::PauseOver) return execution.on_pause_over();
  if (std::get<exec::Transmit>(*live_->step).client_command && succeeded(response)) {
    live_->carried_out = true;
  }
  return execution.on_response(response);
}

void Replay::follow(exec::Step step) {
  if (const auto* const done = std::get_if<exec::Done>(&step)) {
    // One that comes later has not ended: it is begun anew with its request.
    const bool ends = live_->command != nullptr && done->later == exec::Later::No;
    if (ends && ended_) ended_(told_, live_->command, *done);
    live_.reset();
  } else {
    live_->step = std::move(step);
  }
}

}  // namespace tbs::restart
