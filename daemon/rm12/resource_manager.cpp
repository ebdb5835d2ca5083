#include "daemon/rm12/resource_manager.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "daemon/rm12/client_execution.h"
#include "daemon/rm12/housekeeping.h"
#include "daemon/rm12/plan.h"
#include "daemon/rm12/release.h"
#include "daemon/rm12/state_record.h"

namespace tbs::rm12 {

void ResourceManager::configure(exec::Options options) {
  options.now = std::move(state_.options.now);
  state_.options = std::move(options);
}

void ResourceManager::save(RecordWriter& record) const {
  rm12::save(state_, record);
}

// Others point to parts of the state: it stays where it is.
void ResourceManager::restore(RecordReader& record) {
  State found(state_.options, state_.observer);
  rm12::restore(found, record);
  if (!record.ok()) return;
  std::destroy_at(&state_);
  std::construct_at(&state_, std::move(found));
}

void ResourceManager::open_context(ContextId context, const Principal& principal) {
  state_.table.open_context(context, principal);
}

exec::Usage ResourceManager::usage() const {
  exec::Usage usage = state_.table.usage();
  usage.objects.loaded = state_.in_tpm(Kind::Key);
  usage.objects.slots = state_.facts.keys.known;
  usage.sessions.loaded = state_.in_tpm(Kind::Auth) + state_.in_tpm(Kind::Transport);
  usage.sessions.slots = state_.facts.auths.known + state_.facts.transports.known;
  return usage;
}

exec::AccountUsage ResourceManager::usage_of(AccountId account) const {
  return {.objects = state_.table.count(account, true),
          .sessions = state_.table.count(account, false)};
}

std::vector<proto::HoldingEntry> ResourceManager::held_by(ContextId context,
                                                          std::size_t most) const {
  std::vector<proto::HoldingEntry> held;
  if (!state_.table.is_open(context)) return held;
  for (const Resource* const resource : state_.table.of(context)) {
    if (held.size() == most) break;
    held.push_back({.handle = exec::number_of(resource->handle),
                    .kind = resource->kind == Kind::Key ? proto::HoldingKind::Object
                                                        : proto::HoldingKind::Session,
                    .loaded = resource->loaded ? 1U : 0U});
  }
  return held;
}

// An execution may be at work with the context's resources: the tables are cleared after it.
void ResourceManager::close_context(ContextId context) {
  state_.closed.push_back(context);
  reap();
}

void ResourceManager::reap() {
  for (const ContextId context : state_.take_closed()) {
    // Releasing a key takes its sessions along.
    for (auto left = state_.table.of(context); !left.empty(); left = state_.table.of(context)) {
      release(state_, *left.front());
    }
    state_.saved_keys.forget(context);
    state_.table.close_context(context);
  }
}

std::unique_ptr<exec::Execution> ResourceManager::execute(SharedCommand command) {
  reap();
  state_.note_client_command();
  const proto::Bytes bytes = command->bytes();
  return std::make_unique<ClientExecution>(state_, command->context(), command->locality(),
                                           proto::Buffer(bytes.begin(), bytes.end()));
}

std::unique_ptr<exec::Execution> ResourceManager::housekeeping() {
  reap();
  if (state_.maintenance_stalled) return nullptr;
  if (state_.start_due) return std::make_unique<BringUp>(state_, TpmProbe::Reason::Restart);
  if (state_.check_due) return std::make_unique<BringUp>(state_, TpmProbe::Reason::Check);
  if (!Housekeeping::due(state_)) return nullptr;
  return std::make_unique<Housekeeping>(state_);
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
  return std::make_unique<BringUp>(state_, TpmProbe::Reason::BringUp);
}

std::unique_ptr<exec::Execution> ResourceManager::shutdown(bool owns_power) {
  reap();
  return std::make_unique<Shutdown>(state_, owns_power);
}

void ResourceManager::device_lost() {
  const Losses losses = drop_loaded(state_);
  if (losses.keys + losses.sessions != 0) {
    state_.observer.loaded_lost(exec::LossCause::Device, losses.keys, losses.sessions);
  }
}

std::size_t ResourceManager::loads_needed(const ClientCommand& command) const {
  const auto view = tpm12::parse_command(command.bytes());
  if (!view) return 0;
  const auto wrapped = view->ordinal == tpm12::ord::kExecuteTransport
                           ? tpm12::parse_wrapped_command(*view)
                           : std::unexpected(tpm12::rc::kSuccess);
  const auto plan = make_plan(state_, command.context(), *view, wrapped ? &*wrapped : nullptr);
  if (!plan) return 0;
  return static_cast<std::size_t>(std::ranges::count_if(
      plan->all.all(), [](const Resource* resource) { return !resource->loaded; }));
}

}  // namespace tbs::rm12
