#pragma once

// Owns the dependencies of the daemon and the order in which they start and stop.

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/config/load_config.h"
#include "daemon/device/transceiver.h"
#include "daemon/exec/family_engine.h"
#include "daemon/exec/guard_chain.h"
#include "daemon/exec/guarded_engine.h"
#include "daemon/exec/inventory_engine.h"
#include "daemon/exec/pass_through.h"
#include "daemon/exec/raw_context_router.h"
#include "daemon/firmware/firmware_files.h"
#include "daemon/host/service_notify.h"
#include "daemon/host/sleep_watch.h"
#include "daemon/listening_sockets.h"
#include "daemon/loop/blocking_calls.h"
#include "daemon/policy/authorization_guard.h"
#include "daemon/policy/ownership_guard.h"
#include "daemon/pump.h"
#include "daemon/rm/resource_manager.h"
#include "daemon/rm12/resource_manager.h"
#include "daemon/rm_log.h"
#include "daemon/server/connection_manager.h"
#include "daemon/server/server.h"
#include "daemon/server/system_environment.h"
#include "daemon/state_file.h"

namespace tbs {

class App {
 public:
  // Throws std::runtime_error when the device's name cannot be understood.
  App(Config config, rules::Rules rules, std::vector<std::string> arguments);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Runs until a signal ends it; the exit code of the program.
  int run();

 private:
  void wait_for_signal();
  void stop(int signal);
  void finish();
  void reload();
  void reloaded(const std::expected<Loaded, EarlyExit>& loaded);
  void restore_state();
  void apply(const Config& config);
  void on_device_changed();
  void watch_sleep();
  [[nodiscard]] std::string tpm_name() const;
  [[nodiscard]] std::string tpm_status() const;

  boost::asio::io_context io_{1};
  Config config_;
  rules::Rules rules_;  // at the start
  std::vector<std::string> arguments_;
  host::ServiceNotify notify_;
  host::SleepWatch sleep_watch_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer stop_deadline_;
  std::unique_ptr<device::Transceiver> device_;
  exec::TpmIdentity identity_;
  RmLog rm_log_;
  rm12::ResourceManager resource_manager12_;
  rm::ResourceManager resource_manager_;
  exec::FamilyEngine engine_{resource_manager12_, resource_manager_, identity_};
  exec::PassThrough raw_engine_{identity_};
  exec::RawContextRouter raw_router_{engine_, raw_engine_};
  policy::AuthorizationGuard authorization_guard_;
  policy::OwnershipGuard ownership_guard_;
  exec::GuardChain guards_{&ownership_guard_, &authorization_guard_};
  exec::InventoryEngine inventory_engine_{raw_router_, identity_};
  exec::GuardedEngine guarded_engine_{inventory_engine_, guards_};
  Pump pump_;
  firmware::FirmwareFiles firmware_;
  server::SystemEnvironment environment_{io_};
  server::SystemAuditLog audit_log_;
  server::Server server_;
  server::ConnectionManager connections_{io_, server_};
  StateFile lockout_file_;
  StateFile ownership_file_;
  ListeningSockets sockets_;
  bool announced_ = false;
  std::string last_status_;  // as the service manager has it
  bool stopping_ = false;
  loop::BlockingCalls reader_;  // of the configuration
};

}  // namespace tbs
