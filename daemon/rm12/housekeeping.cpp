#include "daemon/rm12/housekeeping.h"

#include <utility>

#include "daemon/rm12/eviction.h"
#include "daemon/rm12/release.h"
#include "daemon/tpm12/response_code.h"
#include "proto/tpm12/commands.h"

namespace tbs::rm12 {

using exec::Step;
using tpm12::Remedy;

namespace {

// The few slots of these TPMs are counted in other ways than the kernel's needs: all or none.
bool empties_after_command(const State& state) {
  return state.options.share == exec::Share::Strict || state.options.share == exec::Share::Spare;
}

bool anything_loaded(const State& state) {
  return state.table.loaded_count(Kind::Key) + state.table.loaded_count(Kind::Auth) +
             state.table.loaded_count(Kind::Transport) !=
         0;
}

// Sessions first: those of a key would have to go before it anyway.
std::optional<Operation> evict_anything(State& state) {
  for (const Kind kind : {Kind::Auth, Kind::Transport, Kind::Key}) {
    if (auto operation = evict(state, kind, {})) return operation;
  }
  return std::nullopt;
}

// Once loaded, it gets a new place in the list when it is next saved.
Operation renew(State& state, Resource& session) {
  Resource* const needed[] = {&session, session.key};
  if (session.key != nullptr && !session.key->loaded) {
    if (auto room = make_room(state, Kind::Key, needed, 1)) return *room;
    return load(*session.key);
  }
  if (auto room = make_room(state, session.kind, needed, 1)) return *room;
  ++state.statistics.gap_refreshes;
  --state.refreshes_left;
  return load(session);
}

Resource* due_for_renewal(const State& state) {
  return state.refreshes_left == 0 ? nullptr : session_to_renew(state);
}

}  // namespace

Step Maintenance::next() {
  if (withdrawn() && can_give_up()) return given_up();
  if (const auto operation = choose()) return perform(*operation);
  return finish();
}

Step Maintenance::answered(proto::Bytes, std::uint32_t) {
  return done(proto::Status::Success);
}

Step Maintenance::failed(const Operation& operation, proto::Bytes, std::uint32_t code) {
  if (!settle(operation, code) || failures_left_-- == 0) return stalled();
  return next();
}

bool Maintenance::settle(const Operation& operation, std::uint32_t code) {
  const Remedy remedy = tpm12::remedy_of(code);
  if (remedy == Remedy::Start) state_.start_due = true;
  if (apply_failure(state_, operation, code)) return true;
  if (remedy != Remedy::DropSession && remedy != Remedy::RenewOldest) return false;
  Resource* const dropped = session_to_drop(state_, {});
  if (dropped == nullptr) return false;
  state_.observer.session_dropped(dropped->principal.user, number_of(dropped->handle),
                                  "the TPM's list of saved sessions is full");
  release(state_, *dropped);
  return true;
}

// It would be due again at once: not before something else has happened.
Step Maintenance::stalled() {
  state_.maintenance_stalled = true;
  return done(proto::Status::Success);
}

bool Housekeeping::due(const State& state) {
  if (state.maintenance_stalled) return false;
  return !state.strays.empty() || due_for_renewal(state) != nullptr ||
         (empties_after_command(state) && anything_loaded(state));
}

std::optional<Operation> Housekeeping::choose() {
  if (!state_.strays.empty()) return clear(state_, state_.strays.front());
  if (Resource* const session = due_for_renewal(state_)) return renew(state_, *session);
  if (!empties_after_command(state_)) return std::nullopt;
  return evict_anything(state_);
}

bool EvictAll::due(const State& state) {
  return state.options.share != exec::Share::Exclusive && !state.maintenance_stalled &&
         anything_loaded(state);
}

std::optional<Operation> EvictAll::choose() {
  auto operation = evict_anything(state_);
  // Whoever took the slots that were missing may have gone.
  if (!operation) {
    for (const Kind kind : {Kind::Key, Kind::Auth, Kind::Transport}) {
      state_.facts.slots(kind).restore();
    }
  }
  return operation;
}

Step BringUp::next() {
  if (probe_) {
    if (auto command = probe_->next()) return send(std::move(*command));
    probe_.reset();
  }
  return Maintenance::next();
}

Step BringUp::answered(proto::Bytes response, std::uint32_t) {
  const bool usable = probe_ ? probe_->take(response) : room_.take(response);
  return usable ? next() : done(proto::Status::IoError);
}

std::optional<Operation> BringUp::choose() {
  if (state_.strays.empty()) return std::nullopt;
  return clear(state_, state_.strays.front());
}

Step BringUp::finish() {
  if (auto command = room_.next()) return send(std::move(*command));
  return done(proto::Status::Success);
}

Shutdown::Shutdown(State& state, bool shut_down) : Maintenance(state), shut_down_(shut_down) {
  while (!state.table.all().empty()) release(state, *state.table.all().front());
}

std::optional<Operation> Shutdown::choose() {
  if (state_.strays.empty()) return std::nullopt;
  return flush(state_.strays.front());
}

Step Shutdown::finish() {
  if (!std::exchange(shut_down_, false)) return done(proto::Status::Success);
  return send(tpm12::build::save_state());
}

}  // namespace tbs::rm12
