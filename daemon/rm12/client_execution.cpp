#include "daemon/rm12/client_execution.h"

#include <algorithm>
#include <utility>

#include "daemon/base/spare_buffers.h"

namespace tbs::rm12 {

using exec::Step;
using proto::Bytes;

ClientExecution::ClientExecution(State& state, ContextId context, std::uint8_t locality,
                                 proto::Buffer command)
    : Procedure(state), locality_(locality), run_(state, context, std::move(command)) {}

Step ClientExecution::transmit() {
  note_uses();
  return send(physical_command(), locality_, true);
}

// A look into the TPM is not left half done, and the budget for repairs is the whole command's. A
// TPM that has ended the command's sessions may give their handles to others who come next: it is
// looked at before they do.
bool ClientExecution::leaves_for_later() {
  const bool leaves = phase_ > Phase::Check && phase_ <= Phase::Command && !repair_.begun();
  if (leaves && phase_ == Phase::Command && run_.authorized()) state_.check_due = true;
  return leaves;
}

// Before the TPM has the command: whether it ran is not always known afterwards.
void ClientExecution::note_uses() const {
  const bool changes_keys = (run_.view.ordinal & tpm12::ord::kVendorBit) != 0 ||
                            run_.view.ordinal == tpm12::ord::kKeyControlOwner;
  for (Resource* const resource : run_.plan.all.all()) {
    changes_keys ? resource->saved.note_change() : resource->saved.note_use();
  }
}

Step ClientExecution::reply() {
  return done(std::move(run_.reply));
}

std::optional<Step> ClientExecution::look() {
  if (phase_ == Phase::Check && !probe_ && (state_.start_due || state_.check_due)) {
    probe_.emplace(state_, state_.start_due ? TpmProbe::Reason::Restart : TpmProbe::Reason::Check);
  }
  if (probe_) {
    if (auto command = probe_->next()) return send(std::move(*command));
    probe_.reset();
  }
  if (std::exchange(repeat_, false)) phase_ = Phase::Decide;
  return std::nullopt;
}

std::optional<Step> ClientExecution::decide() {
  if (withdrawn()) return run_.reply.empty() ? given_up() : reply();
  if (!state_.table.is_open(run_.context)) return done(proto::Status::InvalidContext);
  if (decision_.decide()) {
    phase_ = Phase::Undo;
  } else {
    run_.reply.clear();
  }
  return std::nullopt;
}

std::optional<Step> ClientExecution::prepare() {
  if (withdrawn()) return given_up();
  if (const auto operation = repair_.next()) return perform(*operation);
  if (std::ranges::any_of(run_.plan.all.all(), &Resource::lost)) {
    phase_ = Phase::Decide;
    return std::nullopt;
  }
  // Keys first: a session cannot be loaded without its key, and making room for a key may cost the
  // sessions of that key pair their place.
  for (const Kind kind : {Kind::Key, Kind::Auth, Kind::Transport}) {
    if (const auto operation = bring_in(kind)) return perform(*operation);
  }
  if (contexts_.claim()) phase_ = Phase::Undo;
  return std::nullopt;
}

std::optional<Operation> ClientExecution::bring_in(Kind kind) {
  std::size_t wanted = run_.plan.creates == kind ? 1 : 0;
  Resource* missing = nullptr;
  for (Resource* const resource : run_.plan.all.all()) {
    if (resource->kind != kind || resource->loaded) continue;
    ++wanted;
    missing = resource;
  }
  if (wanted == 0) return std::nullopt;
  if (auto room = make_room(state_, kind, run_.plan.pins(), wanted)) return room;
  if (missing == nullptr) return std::nullopt;
  return load(*missing);
}

proto::Buffer ClientExecution::physical_command() const {
  proto::Buffer command = SpareBuffers::of_thread().copy_of(run_.command);
  for (const Placement& placement : run_.plan.placements.all()) {
    tpm12::put_be32(command, placement.offset, number_of(placement.resource->physical));
  }
  return command;
}

Step ClientExecution::answered(Bytes response, std::uint32_t code) {
  switch (phase_) {
    case Phase::Check:
    case Phase::After:
      return answered_probe(response);
    case Phase::Verify:
      return answered_verify(response);
    default:
      return finish(response, code);
  }
}

Step ClientExecution::finish(Bytes response, std::uint32_t code) {
  // A refusal is the reply unless the command can be sent again.
  if (code != tpm12::rc::kSuccess) {
    run_.reply.assign(response.begin(), response.end());
    phase_ = Phase::After;
    follow(repair_.repair_command(code));
    return next();
  }
  const auto view = tpm12::parse_response(response);
  if (!view || !results_.complete(*view)) {
    state_.check_due = true;
    return done(proto::Status::IoError);
  }
  run_.reply = SpareBuffers::of_thread().copy_of(response);
  phase_ = Phase::After;
  if (results_.take(*view, detached())) follow(repair_.look(CommandRepair::Way::LookAtTpm));
  return next();
}

bool ClientExecution::follow(CommandRepair::Way way) {
  using Way = CommandRepair::Way;
  switch (way) {
    case Way::None:
      return false;
    case Way::MakeRoom:
      run_.reply.clear();
      phase_ = Phase::Prepare;
      break;
    case Way::StartTpm:
      run_.reply.clear();
      phase_ = Phase::Check;
      probe_.emplace(state_, TpmProbe::Reason::Restart);
      break;
    case Way::LookAtTpm:
    case Way::LookAndRepeat:
      phase_ = Phase::After;
      probe_.emplace(state_, TpmProbe::Reason::Check);
      repeat_ = way == Way::LookAndRepeat;
      break;
  }
  return true;
}

Step ClientExecution::failed(const Operation& operation, Bytes response, std::uint32_t code) {
  const bool settled = apply_failure(state_, operation, code);
  if (phase_ == Phase::Undo) return next();
  if (settled && repair_.may_lose_more()) {
    // Understood anew: a handle of the command may have lost what it stood for.
    phase_ = Phase::Decide;
    return next();
  }
  if (!settled && follow(repair_.repair_step(operation, code))) return next();
  // That something else cannot be moved out tells the client only that there is no room.
  if (operation.verb == Verb::Load) {
    run_.reply.assign(response.begin(), response.end());
  } else {
    run_.refuse_run(tpm12::rc::kResources);
  }
  phase_ = Phase::Undo;
  return next();
}

Step ClientExecution::answered_probe(Bytes response) {
  if (probe_->take(response)) return next();
  state_.check_due = true;
  // The client's command has run and its reply is known: it must not be lost over this.
  if (phase_ == Phase::After) {
    probe_.reset();
    repeat_ = false;
    return next();
  }
  return done(proto::Status::IoError);
}

std::optional<Step> ClientExecution::undo() {
  if (!detached() || state_.strays.empty()) return std::nullopt;
  return perform(clear(state_, state_.strays.front()));
}

std::optional<Step> ClientExecution::verify() {
  if (!state_.options.verify) return std::nullopt;
  if (!lists_) lists_.emplace();
  if (auto command = lists_->next()) return send(std::move(*command));
  const std::string found = difference(state_, lists_->lists());
  if (!found.empty()) state_.observer.tables_differ(found);
  return std::nullopt;
}

Step ClientExecution::answered_verify(Bytes response) {
  if (!lists_->take(response)) phase_ = Phase::Over;
  return next();
}

}  // namespace tbs::rm12
