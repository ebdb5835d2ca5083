#include "daemon/tenant_tpms.h"

#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "daemon/config/tenant_tpm.h"

namespace tbs {
namespace {

// Of one tenant's TPM, besides those of contexts: observers, the TPM's process, and some to spare.
constexpr std::size_t kExtraDescriptors = 48;

void tell_state(const std::string& tenant, TpmService& service) {
  if (service.ready()) {
    service.tell(proto::Event::DeviceReady,
                 fmt::format("tenant {}: {} is ready", tenant, service.description()));
  }
}

}  // namespace

void TenantTpms::configure(const Config& config, const rules::Rules& rules,
                           const std::vector<server::SharedProfile>& profiles) {
  std::map<std::string, Settings> wanted;
  for (const Tenant& tenant : config.tenants) {
    const auto profile =
        std::ranges::find(profiles, tenant.name, [](const auto& known) { return known->tenant; });
    if (tenant.device.empty() || profile == profiles.end()) continue;
    wanted.insert_or_assign(
        tenant.name,
        Settings{.config = config::config_of(config, tenant), .rules = rules, .profile = *profile});
  }
  for (auto& [name, entry] : entries_) {
    if (!wanted.contains(name)) end(name, entry);
  }
  for (auto& [name, settings] : wanted) set(name, std::move(settings));
}

void TenantTpms::set(const std::string& name, Settings settings) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    start(name, std::move(settings));
    return;
  }
  Entry& entry = found->second;
  if (entry.settings.config.device != settings.config.device) end(name, entry);
  if (entry.ending) {
    entry.next = std::move(settings);
    return;
  }
  entry.service->configure(settings.config, settings.rules, {settings.profile});
  entry.settings = std::move(settings);
}

void TenantTpms::start(const std::string& name, Settings settings) {
  if (!may_start_programs_) {
    spdlog::error(
        "tenant {} has no TPM: tbsd was started without any that is a program of its own, so its "
        "filter of system calls does not let it start one; restart tbsd",
        name);
    return;
  }
  Entry& entry = entries_[name];
  const Config& config = settings.config;
  entry.service = std::make_unique<TpmService>(shared_, config, name);
  entry.service->set_most_connections(config.limits.contexts_per_user + kExtraDescriptors);
  entry.service->configure(config, settings.rules, {settings.profile});
  entry.settings = std::move(settings);
  entry.service->start([name, service = entry.service.get()] { tell_state(name, *service); });
}

void TenantTpms::end(const std::string& name, Entry& entry) {
  entry.next.reset();
  if (std::exchange(entry.ending, true)) return;
  entry.service->stop([this, name, service = entry.service.get()] {
    service->disconnect_all();
    service->when_idle([this, name] { ended(name); });
  });
}

void TenantTpms::ended(const std::string& name) {
  const auto found = entries_.find(name);
  past_differences_ += found->second.service->differences();
  auto next = std::move(found->second.next);
  entries_.erase(found);
  spdlog::info("tenant {}: its TPM is closed", name);
  if (next && !all_stopped_) start(name, *std::move(next));
  tell_if_all_stopped();
}

void TenantTpms::stop_all(std::function<void()> stopped) {
  all_stopped_ = std::move(stopped);
  for (auto& [name, entry] : entries_) end(name, entry);
  tell_if_all_stopped();
}

void TenantTpms::tell_if_all_stopped() {
  if (!entries_.empty() || !all_stopped_) return;
  std::exchange(all_stopped_, nullptr)();
}

void TenantTpms::disconnect_all() {
  for (auto& [name, entry] : entries_) entry.service->disconnect_all();
}

TpmService* TenantTpms::find(std::string_view tenant) {
  const auto found = entries_.find(tenant);
  return found == entries_.end() || found->second.ending ? nullptr : found->second.service.get();
}

void TenantTpms::add_readings(bool with_users, std::vector<metrics::TpmReading>& readings) const {
  for (const auto& [name, entry] : entries_) {
    if (!entry.ending) readings.push_back(entry.service->reading(with_users));
  }
}

std::size_t TenantTpms::descriptors() const {
  std::size_t sum = 0;
  for (const auto& [name, entry] : entries_) {
    sum += entry.settings.config.limits.contexts_per_user + kExtraDescriptors;
  }
  return sum;
}

std::size_t TenantTpms::differences() const {
  std::size_t sum = past_differences_;
  for (const auto& [name, entry] : entries_) sum += entry.service->differences();
  return sum;
}

}  // namespace tbs
