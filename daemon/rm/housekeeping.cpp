#include "daemon/rm/housekeeping.h"

#include "daemon/rm/context_gap.h"
#include "daemon/rm/session_share.h"
#include "daemon/tpm/response_code.h"
#include "proto/tpm/commands.h"
#include "proto/tpm/constants.h"

namespace tbs::rm {

using exec::Step;

namespace {

// The orphan that has to go: too old, or too many of one user.
Session* superfluous_orphan(State& state) {
  const exec::Limits& limits = state.options.limits;
  if (Session* const old =
          expired_orphan(state.sessions, state.options.now, limits.orphan_lifetime)) {
    return old;
  }
  for (const Session& session : state.sessions.each()) {
    const AccountId account = session.principal.account;
    if (session.orphan() &&
        state.sessions.orphans(account) > state.options.limits_of(account).orphans_per_user) {
      return state.sessions.oldest_orphan(account);
    }
  }
  return nullptr;
}

std::optional<Operation> evict_anything(State& state) {
  if (const auto operation = evict_object(state, {})) return operation;
  return evict_session(state, {});
}

// What is to go after each command.
std::optional<Operation> evict_surplus(State& state) {
  const Kept kept = kept_after_command(state);
  if (state.objects_in_tpm() > kept.objects) {
    if (const auto operation = evict_object(state, {})) return operation;
  }
  if (state.sessions.loaded_count() > kept.sessions) return evict_session(state, {});
  return std::nullopt;
}

bool has_surplus(const State& state) {
  const Kept kept = kept_after_command(state);
  return state.objects_in_tpm() > kept.objects || state.sessions.loaded_count() > kept.sessions;
}

bool anything_loaded(const State& state) {
  return state.objects_in_tpm() != 0 || state.sessions.loaded_count() != 0;
}

}  // namespace

Step Maintenance::next() {
  if (withdrawn()) return given_up();
  if (const auto operation = choose()) return perform(*operation);
  return finish();
}

Step Maintenance::answered(proto::Bytes response, std::uint32_t code) {
  static_cast<void>(response);
  static_cast<void>(code);
  return done(proto::Status::Success);
}

Step Maintenance::failed(const Operation& operation, proto::Bytes response, std::uint32_t code) {
  static_cast<void>(response);
  if (tpm::remedy_of(code) == tpm::Remedy::Start) state_.start_due = true;
  if (!apply_failure(state_, operation, code) || failures_left_-- == 0) return stalled();
  return next();
}

// It would be due again at once: not before something else has happened.
Step Maintenance::stalled() {
  state_.maintenance_stalled = true;
  return done(proto::Status::Success);
}

Housekeeping::Housekeeping(State& state)
    : Maintenance(state), gap_(state, GapRefresh::Urgency::Before) {}

bool Housekeeping::due(State& state) {
  if (state.maintenance_stalled) return false;
  return state.first_stray() || superfluous_orphan(state) != nullptr || GapRefresh::due(state) ||
         has_surplus(state);
}

bool Housekeeping::may_be_due(const State& state) {
  return state.sessions.total() != 0 || state.first_stray() || has_surplus(state);
}

std::optional<Operation> Housekeeping::choose() {
  if (const auto stray = state_.first_stray()) return flush_stray(*stray);
  if (Session* const orphan = superfluous_orphan(state_)) {
    state_.observer.session_dropped(orphan->principal.user, number_of(orphan->handle),
                                    "nobody loaded it after its client had gone");
    return flush(*orphan);
  }
  if (const auto operation = gap_.next({})) return operation;
  return evict_surplus(state_);
}

bool EvictAll::due(State& state) {
  return state.options.share != exec::Share::Exclusive && !state.maintenance_stalled &&
         anything_loaded(state);
}

std::optional<Operation> EvictAll::choose() {
  return evict_anything(state_);
}

std::optional<Operation> Shutdown::choose() {
  if (const auto stray = state_.first_stray()) return flush_stray(*stray);
  if (!state_.objects.loaded().empty()) return flush(*state_.objects.loaded().front());
  for (Session& session : state_.sessions.each()) {
    // Another run of the daemon will accept it, unless it is told to clean up.
    const bool kept = session.saved_by_client() && !state_.options.remove_saved_sessions;
    if (!kept) return flush(session);
  }
  return std::nullopt;
}

Step Shutdown::finish() {
  if (!shut_down_) return done(proto::Status::Success);
  shut_down_ = false;
  return send(tpm::build::shutdown(tpm::kStartupClear));
}

}  // namespace tbs::rm
