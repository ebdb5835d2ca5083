#include "daemon/rm/client_execution.h"

#include <algorithm>
#include <utility>

#include "daemon/base/spare_buffers.h"
#include "daemon/rm/inheritance.h"

namespace tbs::rm {

using exec::Step;
using proto::Bytes;

ClientExecution::ClientExecution(State& state, SharedCommand command)
    : Procedure(state), run_(state, std::move(command)) {}

Step ClientExecution::transmit() {
  note_uses();
  return send(physical_command(), run_.client->locality(), true);
}

// A look into the TPM is not left half done, and the budget for repairs is the whole command's.
bool ClientExecution::leaves_for_later() {
  return phase_ > Phase::Check && phase_ <= Phase::Command && !repair_.begun();
}

// Before the TPM has the command: whether it ran is not always known afterwards.
void ClientExecution::note_uses() const {
  const bool vendor = (run_.view.code() & tpm::cc::kVendorBit) != 0;
  for (Object* const object : run_.plan.objects.all()) {
    vendor ? object->saved.note_change() : object->saved.note_use();
  }
  for (Session* const session : run_.plan.sessions.all()) session->saved.note_use();
}

Step ClientExecution::reply() {
  return done(std::move(run_.reply));
}

std::optional<Step> ClientExecution::look() {
  if (phase_ == Phase::Check && !probe_ && (state_.start_due || state_.check_due)) {
    probe_.emplace(state_, state_.start_due ? TpmProbe::Reason::Restart : TpmProbe::Reason::Check);
  }
  if (!probe_) return std::nullopt;
  if (auto command = probe_->next()) return send(std::move(*command));
  probe_.reset();
  return std::nullopt;
}

std::optional<Step> ClientExecution::decide() {
  if (withdrawn()) return given_up();
  if (!state_.contexts.contains(run_.context)) return done(proto::Status::InvalidContext);
  if (const auto operation = next_of_inheritance(state_, run_.context)) return perform(*operation);
  if (decision_.decide()) phase_ = Phase::Verify;
  return std::nullopt;
}

std::optional<Step> ClientExecution::prepare() {
  if (withdrawn()) return given_up();
  if (const auto operation = repair_.next()) return perform(*operation);
  if (std::ranges::any_of(run_.plan.objects.all(), &Object::lost)) {
    phase_ = Phase::Decide;
    return std::nullopt;
  }
  if (const auto operation = bring_in_objects()) return perform(*operation);
  if (const auto operation = bring_in_sessions()) return perform(*operation);
  if (contexts_.claim_loaded_session()) phase_ = Phase::Undo;
  return std::nullopt;
}

std::optional<Operation> ClientExecution::bring_in_objects() {
  std::size_t wanted = run_.plan.object_slots;
  Object* missing = nullptr;
  for (Object* const object : run_.plan.objects.all()) {
    if (object->loaded()) continue;
    ++wanted;
    missing = object;
  }
  if (auto room = make_object_room(state_, run_.plan.pins(), wanted)) return room;
  if (missing == nullptr) return std::nullopt;
  return load(*missing);
}

std::optional<Operation> ClientExecution::bring_in_sessions() {
  std::size_t wanted = run_.plan.session_slots;
  Session* missing = nullptr;
  for (Session* const session : run_.plan.sessions.all()) {
    if (session->loaded) continue;
    ++wanted;
    missing = session;
  }
  if (auto room = make_session_room(state_, run_.plan.pins(), wanted)) return room;
  if (missing == nullptr) return std::nullopt;
  return load(*missing);
}

proto::Buffer ClientExecution::physical_command() const {
  proto::Buffer command = SpareBuffers::of_thread().copy_of(run_.command);
  for (std::uint8_t i = 0; i < run_.view.info->handles; ++i) {
    if (const Object* const object = run_.plan.handle_objects[i]) {
      tpm::put_be32(command, tpm::handle_offset(i), number_of(*object->physical));
    }
  }
  contexts_.put_flushed(command);
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
      break;
  }
  return repair(code) ? next() : finish(response);
}

bool ClientExecution::repair(std::uint32_t code) {
  using Way = CommandRepair::Way;
  const Way way = repair_.repair(code, phase_ == Phase::Command);
  switch (way) {
    case Way::None:
      return false;
    case Way::MakeRoom:
      phase_ = Phase::Prepare;
      return true;
    case Way::LookAtTpm:
    case Way::StartTpm:
      break;
  }
  probe_.emplace(state_,
                 way == Way::StartTpm ? TpmProbe::Reason::Restart : TpmProbe::Reason::Check);
  phase_ = Phase::Check;
  return true;
}

Step ClientExecution::finish(Bytes response) {
  const auto view = tpm::parse_response(response, {.has_handle = run_.view.info->returns_handle,
                                                   .session_count = run_.view.session_count});
  if (!view) {
    state_.check_due = true;
    return done(proto::Status::IoError);
  }
  run_.reply = SpareBuffers::of_thread().copy_of(response);
  phase_ = Phase::After;
  if (view->success()) {
    if (const auto reason = results_.take(*view, decision_.query(), detached())) {
      probe_.emplace(state_, *reason);
    }
  } else if (tpm::is_auth_fail(view->code)) {
    state_.lockout_due = true;
  } else if (view->code == tpm::at_parameter(tpm::rc::kHandle, 1)) {
    contexts_.finish_flush();  // what it was about is not there
  }
  return next();
}

Step ClientExecution::failed(const Operation& operation, Bytes response, std::uint32_t code) {
  repair_.give_up();
  const bool settled = apply_failure(state_, operation, code);
  if (phase_ == Phase::Decide) {
    // The command may do without what could not be saved.
    settle_inheritance(state_, run_.context);
    return next();
  }
  if (phase_ == Phase::Undo) return next();
  if (settled && repair_.may_lose_more()) {
    // Understood anew: a handle of the command may have lost its object.
    phase_ = Phase::Decide;
    return next();
  }
  if (!settled && repair(code)) return next();
  run_.reply.assign(response.begin(), response.end());
  phase_ = Phase::Undo;
  return next();
}

Step ClientExecution::answered_probe(Bytes response) {
  if (probe_->take(response)) return next();
  state_.check_due = true;
  // The client's command has run and its reply is known: it must not be lost over this.
  if (phase_ == Phase::After) {
    probe_.reset();
    return next();
  }
  return done(proto::Status::IoError);
}

std::optional<Step> ClientExecution::undo() {
  if (!detached()) return std::nullopt;
  if (const auto handle = state_.first_stray()) return perform(flush_stray(*handle));
  return std::nullopt;
}

std::optional<Step> ClientExecution::verify() {
  if (!state_.options.verify) return std::nullopt;
  if (!lists_) lists_ = std::make_unique<HandleLists>();
  if (auto command = lists_->next()) return send(std::move(*command));
  const std::string found = difference(state_, *lists_);
  if (!found.empty()) state_.observer.tables_differ(found);
  return std::nullopt;
}

Step ClientExecution::answered_verify(Bytes response) {
  if (!lists_->take(response)) phase_ = Phase::Over;
  return next();
}

}  // namespace tbs::rm
