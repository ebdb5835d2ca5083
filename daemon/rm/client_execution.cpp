#include "daemon/rm/client_execution.h"

#include <algorithm>
#include <utility>

namespace tbs::rm {

using exec::Step;
using proto::Bytes;

ClientExecution::ClientExecution(State& state, ContextId context, std::uint8_t locality,
                                 proto::Buffer command)
    : Procedure(state), context_(context), locality_(locality), command_(std::move(command)) {}

Step ClientExecution::transmit() {
  note_uses();
  return send(physical_command(), locality_, true);
}

// Before the TPM has the command: whether it ran is not always known afterwards.
void ClientExecution::note_uses() {
  const bool vendor = (view_.code() & tpm::cc::kVendorBit) != 0;
  for (Object* const object : plan_.objects.all()) {
    vendor ? object->saved.note_change() : object->saved.note_use();
  }
  for (Session* const session : plan_.sessions.all()) session->saved.note_use();
}

Step ClientExecution::reply() {
  return done(std::move(reply_));
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

std::optional<Step> ClientExecution::prepare() {
  if (withdrawn()) return given_up();
  if (const auto operation = drop()) return perform(*operation);
  if (const auto operation = forced()) return perform(*operation);
  if (gap_) {
    if (const auto operation = gap_->next(plan_.pins())) return perform(*operation);
    gap_.reset();
  }
  if (std::ranges::any_of(plan_.objects.all(), &Object::lost)) {
    phase_ = Phase::Decide;
    return std::nullopt;
  }
  if (const auto operation = bring_in_objects()) return perform(*operation);
  if (const auto operation = bring_in_sessions()) return perform(*operation);
  if (claim_loaded_session()) phase_ = Phase::Undo;
  return std::nullopt;
}

std::optional<Operation> ClientExecution::bring_in_objects() {
  std::size_t wanted = plan_.object_slots;
  Object* missing = nullptr;
  for (Object* const object : plan_.objects.all()) {
    if (object->loaded()) continue;
    ++wanted;
    missing = object;
  }
  if (auto room = make_object_room(state_, plan_.pins(), wanted)) return room;
  if (missing == nullptr) return std::nullopt;
  return load(*missing);
}

std::optional<Operation> ClientExecution::bring_in_sessions() {
  std::size_t wanted = plan_.session_slots;
  Session* missing = nullptr;
  for (Session* const session : plan_.sessions.all()) {
    if (session->loaded) continue;
    ++wanted;
    missing = session;
  }
  if (auto room = make_session_room(state_, plan_.pins(), wanted)) return room;
  if (missing == nullptr) return std::nullopt;
  return load(*missing);
}

proto::Buffer ClientExecution::physical_command() const {
  proto::Buffer command = command_;
  for (std::uint8_t i = 0; i < view_.info->handles; ++i) {
    if (const Object* const object = plan_.handle_objects[i]) {
      tpm::put_be32(command, tpm::handle_offset(i), object->physical);
    }
  }
  if (flushed_object_ != nullptr) {
    tpm::put_be32(command, tpm::kHeaderSize, flushed_object_->physical);
  }
  // The client may have named it the way saved sessions are listed.
  if (flushed_session_ != nullptr) {
    tpm::put_be32(command, tpm::kHeaderSize, flushed_session_->handle);
  }
  return command;
}

tpm::ResponseShape ClientExecution::shape() const {
  return {.has_handle = view_.info->returns_handle, .session_count = view_.session_count};
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
  if (!lists_) lists_.emplace();
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
