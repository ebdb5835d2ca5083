#pragma once

// The program: its TPMs and sockets, signals, the service manager, and the order in which all of it
// starts and stops.

#include <cstddef>
#include <expected>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/config/load_config.h"
#include "daemon/host/descriptor_store.h"
#include "daemon/host/inherited_descriptors.h"
#include "daemon/host/service_notify.h"
#include "daemon/host/sleep_watch.h"
#include "daemon/host/stop_reason.h"
#include "daemon/listening_sockets.h"
#include "daemon/loop/blocking_calls.h"
#include "daemon/metrics/metrics_server.h"
#include "daemon/server/account_finder.h"
#include "daemon/server/turn_runner.h"
#include "daemon/tenant_tpms.h"
#include "daemon/tpm_service.h"

namespace tbs {

class App {
 public:
  // Throws std::runtime_error when the device's name cannot be understood.
  // `program` is what a restart without a service manager executes, with `arguments` again.
  App(Config config, rules::Rules rules, std::string program, std::vector<std::string> arguments);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Runs until a signal ends it; the exit code of the program.
  int run();

 private:
  void wait_for_signal();
  void on_signal(int signal);
  void stop(int signal);
  // What is kept is left to a successor, which the service manager or this process starts.
  void restart(int exit_code);
  void execute_again();
  void finish();
  LeftDescriptors take_left(host::InheritedDescriptors& inherited);
  [[nodiscard]] server::SharedProfile profile_of(const server::PeerRecord& peer) const;
  void reload();
  void reloaded(const std::expected<Loaded, EarlyExit>& loaded);
  void apply(const Config& config, const rules::Rules& rules);
  void accept(server::Listener::Socket socket, server::SharedProfile profile);
  [[nodiscard]] std::string metrics_page(metrics::Format format);
  void on_device_changed();
  void watch_sleep();

  // All its sockets and timers are used by one thread; other threads only post to it.
  boost::asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  Config config_;
  rules::Rules rules_;  // at the start
  std::string program_;
  std::vector<std::string> arguments_;
  host::ServiceNotify notify_;
  host::DescriptorStore store_;
  host::StopReason stop_reason_;
  host::SleepWatch sleep_watch_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer stop_deadline_;
  server::TurnRunner turns_{io_};
  server::AccountFinder accounts_{io_};
  TpmService::Shared shared_{.io = io_,
                             .turns = turns_,
                             .accounts = accounts_,
                             .keeper = config_.keep_clients ? &store_ : nullptr};
  TpmService service_;
  TenantTpms tenant_tpms_;
  ListeningSockets sockets_;
  metrics::MetricsServer metrics_;
  const double started_;  // in seconds since 1970
  bool metrics_name_users_ = false;
  std::set<std::string, std::less<>> own_tpms_;  // the tenants that have one
  std::size_t most_connections_ = 0;
  bool announced_ = false;
  std::string last_status_;    // as the service manager has it
  bool asked_to_end_ = false;  // by the service manager, of which the reason is not known yet
  bool stopping_ = false;
  int exit_code_ = 0;
  loop::BlockingCalls reader_;  // of the configuration
};

}  // namespace tbs
