#include "daemon/app.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <sys/resource.h>

#include <spdlog/spdlog.h>

#include "daemon/device/open_device.h"
#include "daemon/host/limited_log.h"
#include "daemon/host/log_setup.h"
#include "daemon/host/machine_clock.h"
#include "daemon/loop/event_loop.h"
#include "daemon/tpm/command_class.h"
#include "daemon/tpm12/command_class.h"
#include "version.h"

namespace tbs {
namespace {

// Past it the process leaves whatever still runs on the TPM to itself.
constexpr std::chrono::seconds kStopDeadline{30};

// With --check-tables: the tables and the TPM did not agree at least once.
constexpr int kExitTablesDiffer = 3;

std::unique_ptr<device::Transceiver> make_device(boost::asio::io_context& io,
                                                 const std::string& text, bool confined) {
  auto spec = device::parse_device_spec(text);
  if (!spec) throw std::runtime_error("device: " + spec.error());
  return device::make_transceiver(
      io, *spec,
      [](const std::string& notice) {
        host::log_limited(spdlog::level::warn, host::Topic::DeviceNotice, notice);
      },
      confined);
}

TimePoint now() {
  return std::chrono::steady_clock::now();
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

// Descriptors that are no client's, and some to spare.
constexpr rlim_t kOwnDescriptors = 64;

// One descriptor per client: take what the service manager allows. How many clients that is for.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return SIZE_MAX;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return limit.rlim_cur - std::min(limit.rlim_cur, kOwnDescriptors);
}

}  // namespace

App::App(Config config, rules::Rules rules, std::vector<std::string> arguments)
    : config_(std::move(config)),
      rules_(std::move(rules)),
      arguments_(std::move(arguments)),
      notify_(io_),
      sleep_watch_(io_),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      stop_deadline_(io_),
      device_(make_device(io_, config_.device, config_.seccomp)),
      resource_manager12_({.share = config_.share,
                           .remove_saved_sessions = !config_.keep_saved_sessions,
                           .verify = config_.check_tables,
                           .now = now},
                          rm_log_),
      resource_manager_({.share = config_.share,
                         .remove_saved_sessions = !config_.keep_saved_sessions,
                         .verify = config_.check_tables,
                         .now = now},
                        rm_log_),
      authorization_guard_(host::machine_time, host::boot_id()),
      ownership_guard_(resource_manager_.commands(), wall_clock),
      pump_(io_, *device_, guarded_engine_, identity_, {.deadline_of = deadline_of}),
      firmware_(io_, {.places = {.device = config_.device,
                                 .event_log = config_.event_log,
                                 .presence = config_.ppi},
                      .state_folder = config_.state_dir}),
      server_({.environment = environment_,
               .audit_log = audit_log_,
               .sink = pump_,
               .firmware = firmware_,
               .raw_contexts = raw_router_,
               .guard = authorization_guard_,
               .ownership = ownership_guard_,
               .command_table = resource_manager_.commands()}),
      lockout_file_(io_, config_.state_dir.empty() ? "" : config_.state_dir + "/lockout"),
      ownership_file_(io_, config_.state_dir.empty() ? "" : config_.state_dir + "/ownership"),
      sockets_(io_),
      reader_(io_, loop::BlockingCalls::Order::NewestOnly, loop::BlockingCalls::AtEnd::Finish) {}

App::~App() = default;

int App::run() {
  server_.set_most_connections(raise_descriptor_limit());
  host::set_log_level(config_.log_level);
  authorization_guard_.set_limits(guard_limits(config_));
  restore_state();
  if (const auto opened = sockets_.open(config_, host::inherited_sockets()); !opened) {
    spdlog::error("{}", opened.error());
    return 1;
  }
  apply(config_);
  server_.set_rules(rules_);
  wait_for_signal();
  pump_.start({.answer = [this](const sched::Answer& answer) { server_.deliver(answer); },
               .device_changed = [this] { on_device_changed(); }});
  sockets_.start([this](server::Listener::Socket socket, server::SharedProfile profile) {
    connections_.accept(std::move(socket), std::move(profile));
  });
  watch_sleep();
  run_loop(io_, std::chrono::microseconds(config_.busy_poll));
  return rm_log_.differences() == 0 ? 0 : kExitTablesDiffer;
}

void App::restore_state() {
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

std::string App::tpm_name() const {
  return "TPM " + std::string(device_->name());
}

// In one line: what the service manager shows.
std::string App::tpm_status() const {
  const server::DeviceView device = pump_.device();
  if (device.state == proto::DeviceState::Ready) return tpm_name() + " is ready";
  std::string status = tpm_name() + " is not ready";
  if (!device.problem.empty()) status += ": " + std::string(device.problem);
  if (!device.advice.empty()) status += "; " + std::string(device.advice);
  return status;
}

void App::on_device_changed() {
  const bool ready = pump_.device().state == proto::DeviceState::Ready;
  const std::string status = tpm_status();
  if (ready && !announced_) {
    spdlog::info("tbsd {}: {} ({}, TPM {}) is ready", kVersion, tpm_name(),
                 pump_.identity().manufacturer,
                 pump_.identity().family == Family::Tpm12 ? "1.2" : "2.0");
  }
  // Ready also without a TPM: clients can connect and are told what is wrong.
  // What is told again and again nobody needs, and it may have to wait for the one who is told.
  if (!announced_) {
    notify_.ready(status);
  } else if (status != last_status_) {
    notify_.status(status);
  }
  last_status_ = status;
  announced_ = true;
  server_.device_changed();
}

void App::watch_sleep() {
  sleep_watch_.start({.prepare =
                          [this] {
                            spdlog::info("the machine is about to sleep: emptying the TPM");
                            pump_.prepare_sleep([this] { sleep_watch_.release(); });
                          },
                      .woken =
                          [this] {
                            spdlog::info("the machine is awake: looking at the TPM");
                            pump_.wake_up();
                          }});
}

void App::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
    } else {
      stop(signal);
    }
    wait_for_signal();
  });
}

void App::stop(int signal) {
  if (std::exchange(stopping_, true)) return;
  spdlog::info("stopping on {}", strsignal(signal));
  notify_.stopping();
  sockets_.stop();
  sleep_watch_.stop();
  reader_.drop_waiting();
  stop_deadline_.expires_after(kStopDeadline);
  stop_deadline_.async_wait([this](const boost::system::error_code& stopped) {
    if (stopped) return;
    spdlog::warn("the TPM is still busy after {} s; leaving all the same", kStopDeadline.count());
    finish();
  });
  pump_.stop([this] { finish(); });
}

void App::finish() {
  server_.close_all();
  io_.stop();
}

void App::reload() {
  if (stopping_) return;
  notify_.reloading();
  reader_.run([arguments = arguments_] { return load_config(arguments); },
              [this](const std::expected<Loaded, EarlyExit>& loaded) { reloaded(loaded); });
}

void App::reloaded(const std::expected<Loaded, EarlyExit>& loaded) {
  if (stopping_) return;
  if (loaded) {
    sockets_.set_tenants(loaded->config);
    apply(loaded->config);
    authorization_guard_.set_limits(guard_limits(loaded->config));
    server_.set_rules(loaded->rules);
    spdlog::info(
        "configuration reloaded; device and sockets, but for tenants', stay as they are until a "
        "restart");
  } else {
    const std::string& text = loaded.error().text;
    spdlog::error("the configuration was not reloaded, the old one stays: {}",
                  text.substr(0, text.find_last_not_of('\n') + 1));
  }
  // Asked again meanwhile: then the newest file is still to be read.
  if (reader_.waiting()) return;
  notify_.ready(loaded ? tpm_status() : tpm_status() + "; the configuration was not reloaded");
}

void App::apply(const Config& config) {
  host::set_log_level(config.log_level);
  const exec::Limits limits = rm_limits(config.limits);
  const auto tenants = sockets_.tenants();
  std::unordered_map<AccountId, exec::Limits> of_tenants;
  std::unordered_map<AccountId, policy::Limits> lasting_of_tenants;
  for (const server::SharedProfile& tenant : tenants) {
    if (!tenant->limits) continue;
    const AccountId account = account_of(*tenant->speaks_for());
    of_tenants[account] = rm_limits(*tenant->limits);
    lasting_of_tenants[account] = *tenant->limits;
  }
  resource_manager12_.configure(limits, of_tenants);
  resource_manager_.configure(limits, of_tenants);
  ownership_guard_.set_limits(config.limits, std::move(lasting_of_tenants));
  pump_.set_high_share(config.high_share);
  server_.configure(config.limits,
                    {.group = config.admin_gid, .has_group = !config.admin_group.empty()},
                    {.everyone_reads_log = config.log_readers == LogReaders::Everyone,
                     .raw_contexts = config.raw_contexts});
  server_.set_tenants(tenants);
}

}  // namespace tbs
