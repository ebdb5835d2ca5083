#pragma once

// One TPM and all that serves it: the device, the engines and guards on the way to it, the server
// of its clients, and what the state folder keeps of it. The daemon has one, and one more for each
// tenant with a TPM of its own. They share the event loop and its turns, and nothing else.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "daemon/config/config.h"
#include "daemon/device/transceiver.h"
#include "daemon/exec/family_engine.h"
#include "daemon/exec/guard_chain.h"
#include "daemon/exec/guarded_engine.h"
#include "daemon/exec/inventory_engine.h"
#include "daemon/exec/pass_through.h"
#include "daemon/exec/raw_context_router.h"
#include "daemon/firmware/firmware_files.h"
#include "daemon/host/inherited_descriptors.h"
#include "daemon/metrics/reading.h"
#include "daemon/policy/authorization_guard.h"
#include "daemon/policy/ownership_guard.h"
#include "daemon/pump.h"
#include "daemon/recorded_settings.h"
#include "daemon/restart/engine_parts.h"
#include "daemon/restart/outside.h"
#include "daemon/restart/recorded_engine.h"
#include "daemon/rm/resource_manager.h"
#include "daemon/rm12/resource_manager.h"
#include "daemon/rm_log.h"
#include "daemon/server/account_finder.h"
#include "daemon/server/connection_manager.h"
#include "daemon/server/server.h"
#include "daemon/server/system_environment.h"
#include "daemon/server/turn_runner.h"
#include "daemon/service_keeper.h"
#include "daemon/share_control.h"
#include "daemon/state_file.h"
#include "daemon/takeover.h"

namespace tbs {

class TpmService {
 public:
  // What all services of a loop have in common. All must outlive them.
  struct Shared {
    boost::asio::io_context& io;
    server::TurnRunner& turns;
    server::AccountFinder& accounts;
    // Who keeps descriptors for a successor; null when nobody does.
    device::DescriptorKeeper* keeper = nullptr;
  };

  // `tenant` is whose TPM it is; empty for the daemon's own. Throws std::runtime_error when the
  // device's name cannot be understood.
  TpmService(const Shared& shared, const Config& config, const std::string& tenant);
  ~TpmService() = default;
  TpmService(const TpmService&) = delete;
  TpmService& operator=(const TpmService&) = delete;

  // `tenants` are those it serves.
  void configure(const Config& config, const rules::Rules& rules,
                 const std::vector<server::SharedProfile>& tenants);
  // As many connections as there are descriptors for.
  void set_most_connections(std::size_t most) { server_.set_most_connections(most); }

  // `device_changed`: it became ready or failed. `left` is what a predecessor has left of this
  // service: it goes on there if it can, and says so in the log. Then configure() is due again.
  void start(std::function<void()> device_changed, LeftDescriptors left = {},
             const Takeover::Profiles& profiles = {});
  void accept(server::Connection::Socket socket, server::SharedProfile profile) {
    connections_.accept(std::move(socket), std::move(profile));
  }
  // Ends what runs and closes the device. Clients stay connected until disconnect_all().
  void stop(std::function<void()> stopped);
  void disconnect_all();
  // The process ends, and another one is going to start with what is left. Nothing may be done with
  // this service any more.
  void leave_behind();
  // What is left then: names as the keeper has them.
  [[nodiscard]] std::vector<host::NamedDescriptor> left() const;
  // Calls back once nothing is on its way to the disk or through the loop, so that this object may
  // be destroyed in the call. After stop() and disconnect_all().
  void when_idle(std::function<void()> idle);

  // `quiet` is called when the machine may sleep.
  void prepare_sleep(std::function<void()> quiet) { pump_.prepare_sleep(std::move(quiet)); }
  void wake_up() { pump_.wake_up(); }

  [[nodiscard]] bool ready() const;
  // In one line: what the service manager shows.
  [[nodiscard]] std::string status() const;
  // An event that no client has caused: a line of the log.
  void tell(proto::Event event, const std::string& text);
  // For the log: "TPM /dev/tpm0 (IBM, TPM 2.0)".
  [[nodiscard]] std::string description() const;
  // Its numbers as they are now; those of users when they are wanted.
  [[nodiscard]] metrics::TpmReading reading(bool with_users) const;
  // With check_tables: how often the tables and the TPM did not agree.
  [[nodiscard]] std::size_t differences() const { return rm_log_.differences(); }

 private:
  void restore_state();
  void share_slots(exec::Share share);
  void look_at_kernel_users();
  // False when there is nothing to go on with, or it cannot be used.
  bool take_over(LeftDescriptors& left, const Takeover::Profiles& profiles);
  void go_on(restart::LeftRecord record, std::vector<Takeover::Ended> ended,
             std::optional<restart::Live> live, LeftDescriptors& left,
             const Takeover::Profiles& profiles);
  void begin_keeping();
  void use_keeper();
  [[nodiscard]] ServiceKeeper::Options keeper_options() const;
  void let_go(LeftDescriptors left);
  [[nodiscard]] Pump::Events pump_events();
  // What both resource managers have counted together, a predecessor's included.
  [[nodiscard]] exec::Statistics statistics() const;

  boost::asio::io_context& io_;
  const std::string tenant_;
  device::DescriptorKeeper* const store_;
  exec::Options manager_options_;  // as they were told last
  exec::TpmIdentity identity_;
  restart::Outside outside_;
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
  restart::EngineParts engine_parts_;
  restart::RecordedEngine recorded_engine_{guarded_engine_, engine_parts_, outside_};
  RecordedSettings settings_{recorded_engine_};
  std::unique_ptr<ServiceKeeper> keeper_;
  exec::Statistics taken_over_;  // what a predecessor has counted
  std::unique_ptr<device::Transceiver> device_;
  Pump pump_;
  firmware::FirmwareFiles firmware_;
  server::SystemEnvironment environment_;
  server::EventHistory history_;
  server::SystemAuditLog audit_log_{history_};
  server::Server server_;
  server::ConnectionManager connections_;
  StateFile lockout_file_;
  StateFile ownership_file_;
  std::unique_ptr<Takeover> takeover_;
  ShareControl share_control_;
  std::function<void()> device_changed_;
};

}  // namespace tbs
