#include "daemon/tpm_service.h"

#include <chrono>
#include <map>
#include <stdexcept>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>
#include <spdlog/fmt/fmt.h>

#include "daemon/base/tenant_name.h"
#include "daemon/device/open_device.h"
#include "daemon/host/limited_log.h"
#include "daemon/host/machine_clock.h"
#include "daemon/tpm/command_class.h"
#include "daemon/tpm12/command_class.h"

namespace tbs {
namespace {

// Whom lines of the log are about.
std::uint32_t concerned(const std::string& tenant) {
  return tenant.empty() ? 0 : static_cast<std::uint32_t>(tenant_user(tenant));
}

std::unique_ptr<device::Transceiver> make_device(boost::asio::io_context& io, const Config& config,
                                                 const std::string& tenant) {
  auto spec = device::parse_device_spec(config.device);
  if (!spec) throw std::runtime_error("device: " + spec.error());
  if (auto* const embedded = std::get_if<device::EmbeddedSpec>(&*spec)) embedded->tenant = tenant;
  return device::make_transceiver(
      io, *spec,
      [user = concerned(tenant)](const std::string& notice) {
        host::log_limited(spdlog::level::warn, host::Topic::DeviceNotice, notice, user);
      },
      config.seccomp);
}

std::uint64_t wall_clock() {
  return host::machine_time().wall;
}

// The two families' command codes do not overlap.
std::chrono::seconds deadline_of(std::uint32_t command_code) {
  return tpm12::is_ordinal(command_code) ? tpm12::deadline_of(command_code)
                                         : tpm::deadline_of(command_code);
}

exec::Limits rm_limits(const policy::Limits& limits) {
  return {.objects_per_context = limits.objects_per_context,
          .objects_per_user = limits.objects_per_user,
          .sessions_per_context = limits.sessions_per_context,
          .sessions_per_user = limits.sessions_per_user,
          .orphans_per_user = limits.orphans_per_user,
          .orphan_lifetime = std::chrono::seconds(limits.orphan_seconds)};
}

policy::LockoutLimits guard_limits(const Config& config) {
  return {.window = config.lockout_window * std::uint64_t{60},
          .per_user = config.lockout_per_user,
          .total = config.lockout_total};
}

std::string state_file(const Config& config, const char* name) {
  return config.state_dir.empty() ? "" : config.state_dir + "/" + name;
}

}  // namespace

TpmService::TpmService(const Shared& shared, const Config& config, const std::string& tenant)
    : io_(shared.io),
      tenant_owns_tpm_(!tenant.empty()),
      device_(make_device(shared.io, config, tenant)),
      resource_manager12_({.share = config.share,
                           .remove_saved_sessions = !config.keep_saved_sessions,
                           .verify = config.check_tables,
                           .now = std::chrono::steady_clock::now},
                          rm_log_),
      resource_manager_({.share = config.share,
                         .remove_saved_sessions = !config.keep_saved_sessions,
                         .verify = config.check_tables,
                         .now = std::chrono::steady_clock::now},
                        rm_log_),
      authorization_guard_(host::machine_time, host::boot_id()),
      ownership_guard_(resource_manager_.commands(), wall_clock),
      pump_(shared.io, *device_, guarded_engine_, identity_,
            {.dispatcher = {.deadline_of = deadline_of}, .concerned = concerned(tenant)}),
      firmware_(shared.io, {.places = {.device = config.device,
                                       .event_log = config.event_log,
                                       .presence = config.ppi},
                            .state_folder = config.state_dir}),
      environment_(shared.io),
      server_({.environment = environment_,
               .audit_log = audit_log_,
               .sink = pump_,
               .firmware = firmware_,
               .raw_contexts = raw_router_,
               .guard = authorization_guard_,
               .ownership = ownership_guard_,
               .command_table = resource_manager_.commands()}),
      connections_(shared.io, server_, shared.turns, shared.accounts),
      lockout_file_(shared.io, state_file(config, "lockout")),
      ownership_file_(shared.io, state_file(config, "ownership")) {}

void TpmService::configure(const Config& config, const rules::Rules& rules,
                           const std::vector<server::SharedProfile>& tenants) {
  std::map<AccountId, exec::Limits> of_tenants;
  std::map<AccountId, policy::Limits> lasting_of_tenants;
  for (const server::SharedProfile& tenant : tenants) {
    if (!tenant->limits) continue;
    const AccountId account = account_of(*tenant->speaks_for());
    of_tenants[account] = rm_limits(*tenant->limits);
    lasting_of_tenants[account] = *tenant->limits;
  }
  const exec::Limits limits = rm_limits(config.limits);
  resource_manager12_.configure(limits, of_tenants);
  resource_manager_.configure(limits, of_tenants);
  authorization_guard_.set_limits(guard_limits(config));
  ownership_guard_.set_limits(config.limits, std::move(lasting_of_tenants));
  pump_.set_high_share(config.high_share);
  server_.configure(config.limits,
                    {.group = config.admin_gid,
                     .has_group = !config.admin_group.empty(),
                     .tenant_owns_tpm = tenant_owns_tpm_},
                    {.everyone_reads_log = config.log_readers == LogReaders::Everyone,
                     .raw_contexts = config.raw_contexts});
  server_.set_tenants(tenants);
  server_.set_rules(rules);
}

void TpmService::start(std::function<void()> device_changed) {
  restore_state();
  pump_.start({.answer = [this](const sched::Answer& answer) { server_.deliver(answer); },
               .device_changed =
                   [this, told = std::move(device_changed)] {
                     told();
                     server_.device_changed();
                   }});
}

void TpmService::restore_state() {
  lockout_file_.try_writing();
  authorization_guard_.set_commands(resource_manager_.commands());
  authorization_guard_.restore(lockout_file_.read(),
                               [this](std::string text) { lockout_file_.write(std::move(text)); });
  rm_log_.on_lockout_learnt([this](const tpm::Lockout& said) { authorization_guard_.learn(said); });
  ownership_guard_.restore(ownership_file_.read(),
                           [this](std::string text) { ownership_file_.write(std::move(text)); });
  inventory_engine_.on_inventory(
      [this](const tpm::Inventory& found) { ownership_guard_.learn(found); });
}

void TpmService::stop(std::function<void()> stopped) {
  connections_.stop();
  server_.stop();
  pump_.stop(std::move(stopped));
}

void TpmService::disconnect_all() {
  server_.close_all();
}

void TpmService::when_idle(std::function<void()> idle) {
  lockout_file_.when_written([this, idle = std::move(idle)]() mutable {
    ownership_file_.when_written([this, idle = std::move(idle)]() mutable {
      // What is ready in the loop already comes before it.
      boost::asio::post(io_, std::move(idle));
    });
  });
}

bool TpmService::ready() const {
  return pump_.device().state == proto::DeviceState::Ready;
}

std::string TpmService::status() const {
  const server::DeviceView device = pump_.device();
  std::string status = "TPM " + std::string(device.name);
  if (device.state == proto::DeviceState::Ready) return status + " is ready";
  status += " is not ready";
  if (!device.problem.empty()) status += ": " + std::string(device.problem);
  if (!device.advice.empty()) status += "; " + std::string(device.advice);
  return status;
}

std::string TpmService::description() const {
  return fmt::format("TPM {} ({}, TPM {})", device_->name(), identity_.manufacturer,
                     identity_.family == Family::Tpm12 ? "1.2" : "2.0");
}

}  // namespace tbs
