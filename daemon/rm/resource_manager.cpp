#include "daemon/rm/resource_manager.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "daemon/rm/client_execution.h"
#include "daemon/rm/housekeeping.h"
#include "daemon/rm/plan.h"
#include "daemon/rm/probe_execution.h"
#include "daemon/rm/reconcile.h"
#include "daemon/rm/session_share.h"
#include "daemon/rm/state_record.h"
#include "daemon/rm/sticky.h"
#include "proto/tpm/constants.h"

namespace tbs::rm {

ResourceManager::ResourceManager(exec::Options options, exec::Observer& observer)
    : state_(std::move(options), observer) {
  // What every TPM serves, also one that has been in failure mode, or in the middle of an update of
  // its firmware, since the daemon was started.
  state_.commands.load(
      std::array{tpm::cc::kGetCapability, tpm::cc::kGetTestResult, tpm::cc::kFieldUpgradeData});
}

void ResourceManager::configure(exec::Options options) {
  options.now = std::move(state_.options.now);
  state_.options = std::move(options);
}

void ResourceManager::save(RecordWriter& record) const {
  rm::save(state_, record);
}

// Others point to parts of the state: it stays where it is.
void ResourceManager::restore(RecordReader& record) {
  State found(state_.options, state_.observer);
  rm::restore(found, record);
  if (!record.ok()) return;
  std::destroy_at(&state_);
  std::construct_at(&state_, std::move(found));
}

void ResourceManager::open_context(ContextId context, const Principal& principal) {
  state_.contexts.insert_or_assign(context, principal);
  state_.objects.open_context(context, principal);
}

// An execution may be at work with the context's objects: the tables are cleared after it.
void ResourceManager::close_context(ContextId context) {
  state_.closed.push_back(context);
  reap();
}

void ResourceManager::reap() {
  for (const ContextId context : state_.take_closed()) {
    if (state_.contexts.contains(context)) reap(context);
  }
}

void ResourceManager::reap(ContextId context) {
  end_inheritance(state_, context);
  for (Object* const object : state_.objects.of(context)) {
    if (object->loaded()) state_.stray_objects.push_back(*object->physical);
    state_.objects.erase(*object);
  }
  for (Session* const session : state_.sessions.all()) {
    if (session->owner == context) release_session(*session);
  }
  state_.objects.close_context(context);
  state_.contexts.erase(context);
}

void ResourceManager::release_session(Session& session) {
  if (session.saved_by_client()) {
    session.owner.reset();
    session.orphaned_at = state_.options.now();
    session.last_used = state_.next_use();
    return;
  }
  state_.stray_sessions.push_back(session.handle);
  state_.sessions.erase(session);
}

std::unique_ptr<exec::Execution> ResourceManager::execute(SharedCommand command) {
  reap();
  state_.note_client_command();
  return std::make_unique<ClientExecution>(state_, std::move(command));
}

proto::Status ResourceManager::make_sticky(ContextId context, std::uint32_t handle, bool sticky) {
  return rm::make_sticky(state_, context, handle, sticky);
}

std::unique_ptr<exec::Execution> ResourceManager::housekeeping() {
  reap();
  if (!state_.maintenance_stalled && (state_.start_due || state_.check_due)) {
    return std::make_unique<ProbeExecution>(
        state_, state_.start_due ? TpmProbe::Reason::Restart : TpmProbe::Reason::Check);
  }
  if (!state_.maintenance_stalled && std::exchange(state_.lockout_due, false)) {
    return std::make_unique<ProbeExecution>(state_, TpmProbe::Reason::Lockout);
  }
  if (!Housekeeping::due(state_)) return nullptr;
  return std::make_unique<Housekeeping>(state_);
}

bool ResourceManager::may_have_housekeeping() const {
  return !state_.closed.empty() || state_.start_due || state_.check_due || state_.lockout_due ||
         Housekeeping::may_be_due(state_);
}

std::unique_ptr<exec::Execution> ResourceManager::idle_housekeeping() {
  reap();
  if (!EvictAll::due(state_)) return nullptr;
  return std::make_unique<EvictAll>(state_);
}

std::unique_ptr<exec::Execution> ResourceManager::evict_all() {
  reap();
  return std::make_unique<EvictAll>(state_);
}

std::unique_ptr<exec::Execution> ResourceManager::bring_up() {
  reap();
  return std::make_unique<ProbeExecution>(state_, TpmProbe::Reason::BringUp);
}

std::unique_ptr<exec::Execution> ResourceManager::shutdown(bool owns_power) {
  reap();
  return std::make_unique<Shutdown>(state_, owns_power);
}

void ResourceManager::device_lost() {
  const Losses losses = drop_loaded(state_);
  if (losses.objects + losses.sessions != 0) {
    state_.observer.loaded_lost(exec::LossCause::Device, losses.objects, losses.sessions);
  }
}

std::size_t ResourceManager::loads_needed(const ClientCommand& command) const {
  const auto view = tpm::parse_command(command.bytes(), state_.commands);
  if (!view) return 0;
  const auto plan = make_plan(state_, command.context(), *view);
  if (!plan) return 0;
  const auto objects = plan->objects.all();
  const auto sessions = plan->sessions.all();
  return static_cast<std::size_t>(
      std::ranges::count_if(objects, [](const Object* object) { return !object->loaded(); }) +
      std::ranges::count_if(sessions, [](const Session* session) { return !session->loaded; }));
}

exec::Usage ResourceManager::usage() const {
  exec::Usage usage = state_.sessions.usage();
  usage.objects_of_context = state_.objects.most_in_context();
  usage.objects_of_account = state_.objects.most();
  usage.objects = {.held = state_.objects.total(),
                   .loaded = state_.objects_in_tpm(),
                   .slots = state_.facts.object_slots};
  usage.sessions = {.held = state_.sessions.total(),
                    .loaded = state_.sessions.loaded_count() + state_.stray_sessions.size(),
                    .slots = state_.facts.session_slots};
  return usage;
}

exec::AccountUsage ResourceManager::usage_of(AccountId account) const {
  return {.objects = state_.objects.count(account), .sessions = state_.sessions.count(account)};
}

Holdings ResourceManager::holdings(ContextId context) {
  Holdings held;
  held.objects = state_.objects.count(context);
  held.loaded_objects = static_cast<std::size_t>(
      std::ranges::count(state_.objects.loaded(), context, &Object::owner));
  for (const Session& session : state_.sessions.each()) {
    if (session.owner != context) continue;
    ++held.sessions;
    if (session.loaded) ++held.loaded_sessions;
  }
  return held;
}

std::vector<proto::HoldingEntry> ResourceManager::held_by(ContextId context,
                                                          std::size_t most) const {
  std::vector<proto::HoldingEntry> held;
  for (const Object* const object : state_.objects.of(context)) {
    if (held.size() == most) return held;
    held.push_back(
        {.handle = exec::number_of(object->virtual_handle),
         .kind = object->sequence ? proto::HoldingKind::Sequence : proto::HoldingKind::Object,
         .loaded = object->loaded() ? 1U : 0U,
         .sticky = object->sticky ? 1U : 0U});
  }
  for (const Session& session : state_.sessions.each()) {
    if (session.owner != context) continue;
    if (held.size() == most) return held;
    held.push_back({.handle = exec::number_of(session.handle),
                    .kind = proto::HoldingKind::Session,
                    .loaded = session.loaded ? 1U : 0U,
                    .saved = session.saved_by_client() ? 1U : 0U,
                    .sticky = session.sticky ? 1U : 0U});
  }
  return held;
}

std::optional<TimePoint> ResourceManager::next_maintenance() const {
  // A TPM that refuses is not asked again before something else has happened.
  if (state_.maintenance_stalled) return std::nullopt;
  return next_orphan_expiry(state_.sessions, state_.options.limits.orphan_lifetime);
}

}  // namespace tbs::rm
