#include "daemon/rm12/client_execution.h"

#include <algorithm>
#include <utility>

namespace tbs::rm12 {

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
  const bool changes_keys = (view_.ordinal & tpm12::ord::kVendorBit) != 0 ||
                            view_.ordinal == tpm12::ord::kKeyControlOwner;
  for (Resource* const resource : plan_.all.all()) {
    changes_keys ? resource->saved.note_change() : resource->saved.note_use();
  }
}

Step ClientExecution::reply() {
  return done(std::move(reply_));
}

std::optional<Step> ClientExecution::look() {
  if (phase_ == Phase::Check && !probe_ && (state_.start_due || state_.check_due)) {
    probe_.emplace(state_, state_.start_due ? TpmProbe::Reason::Restart : TpmProbe::Reason::Check);
  }
  if (probe_) {
    if (auto command = probe_->next()) return send(std::move(*command));
    probe_.reset();
  }
  if (std::exchange(resume_, false)) phase_ = Phase::Decide;
  return std::nullopt;
}

std::optional<Step> ClientExecution::decide() {
  if (withdrawn()) return reply_.empty() ? given_up() : done(std::move(reply_));
  if (!state_.table.is_open(context_)) return done(proto::Status::InvalidContext);
  if (understand()) {
    phase_ = Phase::Undo;
  } else {
    reply_.clear();
  }
  return std::nullopt;
}

std::optional<Step> ClientExecution::prepare() {
  if (withdrawn()) return given_up();
  if (const auto operation = forced()) return perform(*operation);
  if (std::ranges::any_of(plan_.all.all(), &Resource::lost)) {
    phase_ = Phase::Decide;
    return std::nullopt;
  }
  // Keys first: a session cannot be loaded without its key, and making room for a key may cost the
  // sessions of that key pair their place.
  for (const Kind kind : {Kind::Key, Kind::Auth, Kind::Transport}) {
    if (const auto operation = bring_in(kind)) return perform(*operation);
  }
  if (claim()) phase_ = Phase::Undo;
  return std::nullopt;
}

std::optional<Operation> ClientExecution::bring_in(Kind kind) {
  std::size_t wanted = plan_.creates == kind ? 1 : 0;
  Resource* missing = nullptr;
  for (Resource* const resource : plan_.all.all()) {
    if (resource->kind != kind || resource->loaded) continue;
    ++wanted;
    missing = resource;
  }
  if (wanted == 0) return std::nullopt;
  if (auto room = make_room(state_, kind, plan_.pins(), wanted)) return room;
  if (missing == nullptr) return std::nullopt;
  return load(*missing);
}

proto::Buffer ClientExecution::physical_command() const {
  proto::Buffer command = command_;
  for (const Placement& placement : plan_.placements.all()) {
    tpm12::put_be32(command, placement.offset, placement.resource->physical);
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

Step ClientExecution::answered_probe(Bytes response) {
  if (probe_->take(response)) return next();
  state_.check_due = true;
  // The client's command has run and its reply is known: it must not be lost over this.
  if (phase_ == Phase::After) {
    probe_.reset();
    resume_ = false;
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
