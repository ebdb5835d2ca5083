#include "daemon/app.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iterator>
#include <memory>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "daemon/config/tenant_tpm.h"
#include "daemon/host/execute_again.h"
#include "daemon/host/left_name.h"
#include "daemon/host/log_setup.h"
#include "daemon/loop/event_loop.h"
#include "daemon/loop/loop_gap.h"
#include "daemon/metrics/page.h"
#include "daemon/sandbox/filter.h"
#include "version.h"

namespace tbs {
namespace {

// Past it the process leaves whatever still runs on the TPM to itself.
constexpr std::chrono::seconds kStopDeadline{30};

// With --check-tables: the tables and the TPM did not agree at least once.
constexpr int kExitTablesDiffer = 3;

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

// What the filter of system calls lets it do for as long as it runs.
bool may_start_programs(const Config& config) {
  return !sandbox::kAvailable || !config.seccomp || config::starts_programs(config);
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void make_folders(const Config& config) {
  for (const std::string& problem : config::make_tenant_folders(config)) {
    spdlog::warn("{}", problem);
  }
}

// With the folders that the daemon keeps things in. It blocks.
std::expected<Loaded, EarlyExit> load_and_prepare(const std::vector<std::string>& arguments) {
  auto loaded = load_config(arguments);
  if (loaded) make_folders(loaded->config);
  return loaded;
}

}  // namespace

App::App(Config config, rules::Rules rules, std::string program, std::vector<std::string> arguments)
    : config_(std::move(config)),
      rules_(std::move(rules)),
      program_(std::move(program)),
      arguments_(std::move(arguments)),
      notify_(io_),
      store_(io_),
      stop_reason_(io_),
      sleep_watch_(io_),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      stop_deadline_(io_),
      service_(shared_, config_, ""),
      tenant_tpms_(shared_, may_start_programs(config_)),
      sockets_(io_),
      metrics_(io_, [this](metrics::Format format) { return metrics_page(format); }),
      started_(seconds_since_1970()),
      reader_(io_, loop::BlockingCalls::Order::NewestOnly, loop::BlockingCalls::AtEnd::Finish) {
  boost::system::error_code ignored;
  signals_.add(SIGUSR2, ignored);
}

App::~App() = default;

int App::run() {
  most_connections_ = raise_descriptor_limit();
  host::set_log_level(config_.log_level);
  host::InheritedDescriptors inherited = host::inherited_descriptors();
  if (const auto opened = sockets_.open(config_, inherited.sockets); !opened) {
    spdlog::error("{}", opened.error());
    return 1;
  }
  make_folders(config_);
  apply(config_, rules_);
  wait_for_signal();
  service_.start([this] { on_device_changed(); }, take_left(inherited),
                 [this](const server::PeerRecord& peer) { return profile_of(peer); });
  // What was taken over has the settings of before.
  if (!inherited.left.empty()) apply(config_, rules_);
  sockets_.start(
      [this](server::Listener::Socket socket, server::SharedProfile profile) {
        accept(std::move(socket), std::move(profile));
      },
      [this](server::Listener::Socket socket) { metrics_.accept(std::move(socket)); });
  watch_sleep();
  run_loop(io_, std::chrono::microseconds(config_.busy_poll));
  return service_.differences() + tenant_tpms_.differences() == 0 ? exit_code_ : kExitTablesDiffer;
}

// A tenant's own TPM is not taken over.
LeftDescriptors App::take_left(host::InheritedDescriptors& inherited) {
  LeftDescriptors left;
  for (const std::string& name : inherited.refused) {
    store_.already_kept(name);
    store_.drop(name, nullptr);
  }
  for (const auto& [name, descriptor] : inherited.left) {
    store_.already_kept(host::to_string(name));
    if (!name.tenant.empty() || !config_.keep_clients) {
      ::close(descriptor);
      store_.drop(host::to_string(name), nullptr);
      continue;
    }
    switch (name.kind) {
      case host::LeftName::Kind::Record:
        left.memory = descriptor;
        break;
      case host::LeftName::Kind::Tpm:
        left.device.push_back({.name = name.part, .descriptor = descriptor});
        break;
      case host::LeftName::Kind::Client:
        left.clients.emplace(name.number, descriptor);
        break;
    }
  }
  return left;
}

server::SharedProfile App::profile_of(const server::PeerRecord& peer) const {
  if (peer.tenant.empty()) {
    return peer.highest == server::HighestRole::Administrator ? server::administrators_profile()
                                                              : server::everybodys_profile();
  }
  if (own_tpms_.contains(peer.tenant)) return nullptr;
  const auto tenants = sockets_.tenants();
  const auto found = std::ranges::find(tenants, peer.tenant, &server::SocketProfile::tenant);
  return found == tenants.end() ? nullptr : *found;
}

// A tenant with a TPM of its own has no other.
void App::accept(server::Listener::Socket socket, server::SharedProfile profile) {
  const std::string& tenant = profile->tenant;
  if (tenant.empty() || !own_tpms_.contains(tenant)) {
    service_.accept(std::move(socket), std::move(profile));
  } else if (TpmService* const own = tenant_tpms_.find(tenant)) {
    own->accept(std::move(socket), std::move(profile));
  }
}

std::string App::metrics_page(metrics::Format format) {
  metrics::Reading reading{
      .version = kVersion,
      .start_time = started_,
      .loop_gap = loop::LoopGap::of(io_).longest(std::chrono::steady_clock::now()),
      .tpms = {}};
  reading.tpms.push_back(service_.reading(metrics_name_users_));
  tenant_tpms_.add_readings(metrics_name_users_, reading.tpms);
  return metrics::page(reading, format);
}

void App::on_device_changed() {
  const std::string status = service_.status();
  if (service_.ready() && !announced_) {
    service_.tell(proto::Event::DeviceReady,
                  fmt::format("tbsd {}: {} is ready", kVersion, service_.description()));
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
}

void App::watch_sleep() {
  sleep_watch_.start({.prepare =
                          [this] {
                            spdlog::info("the machine is about to sleep: emptying the TPM");
                            service_.prepare_sleep([this] { sleep_watch_.release(); });
                          },
                      .woken =
                          [this] {
                            spdlog::info("the machine is awake: looking at the TPM");
                            service_.wake_up();
                          }});
}

void App::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    on_signal(signal);
    wait_for_signal();
  });
}

void App::on_signal(int signal) {
  if (stopping_) return;
  switch (signal) {
    case SIGHUP:
      return reload();
    case SIGUSR2:
      if (store_.available()) return restart(host::kRestartExitStatus);
      // What is on its way to the state folder is there by then.
      return service_.when_idle([this] { execute_again(); });
    case SIGTERM:
      // The service manager stops it, or is going to start it again. It is asked once.
      if (std::exchange(asked_to_end_, true)) return;
      return stop_reason_.ask(
          [this](bool starts_again) { starts_again ? restart(0) : stop(SIGTERM); });
    default:
      return stop(signal);
  }
}

void App::restart(int exit_code) {
  if (std::exchange(stopping_, true)) return;
  spdlog::info("ending for the next tbsd, which goes on with all clients");
  exit_code_ = exit_code;
  sockets_.stop();
  sleep_watch_.stop();
  reader_.drop_waiting();
  // The clients are served until the service manager has everything.
  tenant_tpms_.stop_all([this] {
    store_.barrier([this] {
      service_.when_idle([this] {
        service_.leave_behind();
        io_.stop();
      });
    });
  });
}

void App::execute_again() {
  if (stopping_) return;
  spdlog::info("executing {} again, with all clients", program_);
  std::vector<host::NamedDescriptor> all = service_.left();
  std::ranges::copy(sockets_.descriptors(), std::back_inserter(all));
  const std::string failure = host::execute_again(program_, arguments_, all);
  spdlog::error("{} could not be executed again; this one goes on: {}", program_, failure);
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
  const auto all = std::make_shared<int>(2);
  const auto one = [this, all] {
    if (--*all == 0) finish();
  };
  tenant_tpms_.stop_all(one);
  service_.stop(one);
}

void App::finish() {
  service_.disconnect_all();
  tenant_tpms_.disconnect_all();
  io_.stop();
}

void App::reload() {
  if (stopping_) return;
  notify_.reloading();
  reader_.run([arguments = arguments_] { return load_and_prepare(arguments); },
              [this](const std::expected<Loaded, EarlyExit>& loaded) { reloaded(loaded); });
}

void App::reloaded(const std::expected<Loaded, EarlyExit>& loaded) {
  if (stopping_) return;
  if (loaded) {
    sockets_.set_tenants(loaded->config);
    apply(loaded->config, loaded->rules);
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
  notify_.ready(loaded ? service_.status()
                       : service_.status() + "; the configuration was not reloaded");
}

void App::apply(const Config& config, const rules::Rules& rules) {
  host::set_log_level(config.log_level);
  metrics_name_users_ = config.metrics_users;
  own_tpms_.clear();
  for (const Tenant& tenant : config.tenants) {
    if (!tenant.device.empty()) own_tpms_.insert(tenant.name);
  }
  const auto tenants = sockets_.tenants();
  std::vector<server::SharedProfile> sharing;
  std::ranges::copy_if(tenants, std::back_inserter(sharing), [this](const auto& profile) {
    return !own_tpms_.contains(profile->tenant);
  });
  service_.configure(config, rules, sharing);
  tenant_tpms_.configure(config, rules, tenants);
  service_.set_most_connections(most_connections_ -
                                std::min(most_connections_, tenant_tpms_.descriptors()));
}

}  // namespace tbs
