#include "daemon/tpm_service.h"

#include <chrono>
#include <map>
#include <stdexcept>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "daemon/base/tenant_name.h"
#include "daemon/device/kept_device.h"
#include "daemon/device/open_device.h"
#include "daemon/host/left_name.h"
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

std::unique_ptr<device::Transceiver> make_device(const TpmService::Shared& shared,
                                                 const Config& config, const std::string& tenant) {
  auto spec = device::parse_device_spec(config.device);
  if (!spec) throw std::runtime_error("device: " + spec.error());
  if (auto* const embedded = std::get_if<device::EmbeddedSpec>(&*spec)) {
    embedded->tenant = tenant;
    embedded->keep_state = config.embedded_keep_state;
  }
  auto made = device::make_transceiver(
      shared.io, *spec,
      [user = concerned(tenant)](const std::string& notice) {
        host::log_limited(spdlog::level::warn, host::Topic::DeviceNotice, notice, user);
      },
      config.seccomp);
  if (shared.keeper == nullptr) return made;
  return std::make_unique<device::KeptDevice>(shared.io, std::move(made), *shared.keeper,
                                              tenant.empty() ? "" : "@" + tenant);
}

exec::Options manager_options(const Config& config) {
  return {.share = first_share(config.share),
          .remove_saved_sessions = !config.keep_saved_sessions,
          .verify = config.check_tables};
}

exec::Options with_clock(exec::Options options, std::function<TimePoint()> clock) {
  options.now = std::move(clock);
  return options;
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
      tenant_(tenant),
      store_(shared.keeper),
      manager_options_(manager_options(config)),
      outside_({.steady = std::chrono::steady_clock::now, .machine = host::machine_time}),
      rm_log_([this] { return outside_.replaying(); }),
      resource_manager12_(with_clock(manager_options_, [this] { return outside_.steady(); }),
                          rm_log_),
      resource_manager_(with_clock(manager_options_, [this] { return outside_.steady(); }),
                        rm_log_),
      authorization_guard_([this] { return outside_.machine(); }, host::boot_id()),
      ownership_guard_(resource_manager_.commands(), [this] { return outside_.machine().wall; }),
      engine_parts_({.identity = identity_,
                     .manager12 = resource_manager12_,
                     .manager20 = resource_manager_,
                     .router = raw_router_,
                     .inventory = inventory_engine_,
                     .authorization = authorization_guard_,
                     .ownership = ownership_guard_}),
      device_(make_device(shared, config, tenant)),
      pump_(shared.io, *device_, recorded_engine_, identity_,
            {.dispatcher = {.deadline_of = deadline_of}, .concerned = concerned(tenant)}),
      firmware_(shared.io, {.places = {.device = config.device,
                                       .event_log = config.event_log,
                                       .presence = config.ppi},
                            .state_folder = config.state_dir}),
      environment_(shared.io),
      server_({.environment = environment_,
               .audit_log = audit_log_,
               .history = history_,
               .sink = pump_,
               .firmware = firmware_,
               .settings = settings_,
               .guard = authorization_guard_,
               .ownership = ownership_guard_,
               .command_table = resource_manager_.commands()}),
      connections_(shared.io, server_, shared.turns, shared.accounts),
      lockout_file_(shared.io, state_file(config, "lockout")),
      ownership_file_(shared.io, state_file(config, "ownership")),
      share_control_(shared.io, config.share, [this](exec::Share share) { share_slots(share); }) {
  outside_.set_judge(*ownership_guard_.judge());
  ownership_guard_.set_judge(outside_);
}

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
  manager_options_.limits = rm_limits(config.limits);
  manager_options_.own_limits = std::move(of_tenants);
  recorded_engine_.apply(restart::ManagerOptions{manager_options_});
  look_at_kernel_users();
  recorded_engine_.apply(guard_limits(config));
  recorded_engine_.apply(restart::LastingLimits{config.limits, std::move(lasting_of_tenants)});
  pump_.set_high_share(config.high_share);
  pump_.set_swap_slice(config.swap_slice);
  server_.configure(config.limits,
                    {.group = config.admin_gid,
                     .has_group = !config.admin_group.empty(),
                     .tenant_owns_tpm = !tenant_.empty()},
                    {.everyone_reads_log = config.log_readers == LogReaders::Everyone,
                     .raw_contexts = config.raw_contexts});
  server_.set_tenants(tenants);
  server_.set_rules(rules);
}

void TpmService::start(std::function<void()> device_changed, LeftDescriptors left,
                       const Takeover::Profiles& profiles) {
  device_changed_ = std::move(device_changed);
  restore_state();
  const bool has_record = left.memory >= 0;
  if (take_over(left, profiles)) return;
  if (store_ != nullptr) {
    // Else there are two of that name.
    if (has_record) store_->drop(host::to_string({.tenant = tenant_}), nullptr);
    begin_keeping();
  }
  if (left.none()) {
    pump_.start(pump_events());
  } else {
    let_go(std::move(left));
  }
}

Pump::Events TpmService::pump_events() {
  Pump::Events events{
      .answer = [this](const sched::Answer& answer) { server_.deliver(answer); },
      .device_changed =
          [this] {
            device_changed_();
            look_at_kernel_users();
            server_.device_changed();
          },
      .device_event = [this](proto::Event event, const std::string& text) { tell(event, text); },
  };
  if (keeper_) events.before_sending = [this] { keeper_->before_sending(); };
  return events;
}

void TpmService::look_at_kernel_users() {
  if (ready()) share_control_.begin(std::string(device_->name()));
}

void TpmService::share_slots(exec::Share share) {
  manager_options_.share = share;
  recorded_engine_.apply(restart::ManagerOptions{manager_options_});
  pump_.look_for_work();
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
  // Nobody goes on with it, and the service manager must not be the last to have it while a command
  // runs: it would wait for that.
  if (store_ != nullptr) {
    for (const device::KeptDescriptor& one : device_->kept()) {
      store_->drop(
          host::to_string({.kind = host::LeftName::Kind::Tpm, .part = one.name, .tenant = tenant_}),
          nullptr);
    }
  }
  share_control_.stop();
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

void TpmService::tell(proto::Event event, const std::string& text) {
  const auto level = event == proto::Event::DeviceLost ? spdlog::level::err : spdlog::level::info;
  audit_log_.write(level, event, {.tenant = tenant_}, text);
}

std::string TpmService::description() const {
  return fmt::format("TPM {} ({}, TPM {})", device_->name(), identity_.manufacturer,
                     identity_.family == Family::Tpm12 ? "1.2" : "2.0");
}

}  // namespace tbs
