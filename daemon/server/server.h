#pragma once

// The clients: one link each, which is one context (or an observer). Takes their frames apart, asks
// the handler of each topic, and closes the link of who breaks the protocol: one log line, a
// Refusal, closed. Nothing else suffers.
//
// No socket, no TPM and no clock: they are behind the interfaces of Dependencies and ClientLink.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/firmware/firmware.h"
#include "daemon/policy/authorization_guard.h"
#include "daemon/policy/ownership_guard.h"
#include "daemon/server/administration_requests.h"
#include "daemon/server/admission.h"
#include "daemon/server/audit.h"
#include "daemon/server/back_pressure.h"
#include "daemon/server/capture.h"
#include "daemon/server/capture_requests.h"
#include "daemon/server/client_keeper.h"
#include "daemon/server/clients.h"
#include "daemon/server/command_requests.h"
#include "daemon/server/command_screening.h"
#include "daemon/server/engine_settings.h"
#include "daemon/server/event_history.h"
#include "daemon/server/event_requests.h"
#include "daemon/server/firmware_requests.h"
#include "daemon/server/handshake.h"
#include "daemon/server/inheritance_requests.h"
#include "daemon/server/lockout_requests.h"
#include "daemon/server/maintenance_requests.h"
#include "daemon/server/peer.h"
#include "daemon/server/sticky_requests.h"
#include "daemon/server/submissions.h"

namespace tbs::server {

// What the server works with. All must outlive it.
struct Dependencies {
  Environment& environment;
  AuditLog& audit_log;
  EventHistory& history;
  CommandSink& sink;
  firmware::Firmware& firmware;
  EngineSettings& settings;
  policy::AuthorizationGuard& guard;
  policy::OwnershipGuard& ownership;
  const tpm::CommandTable& command_table;  // the TPM's own; it may grow
};

class Server : public LinkOwner {
 public:
  explicit Server(const Dependencies& dependencies);

  // What can be changed while running.
  void configure(const policy::Limits& limits, const AdministratorRule& administrators,
                 const Permissions& permissions);
  void set_rules(rules::Rules rules);
  // As many connections as the system has descriptors for.
  void set_most_connections(std::size_t most) { admission_.set_most_connections(most); }
  // The tenants there are now. Clients of one who is no longer among them are disconnected.
  void set_tenants(std::vector<SharedProfile> tenants);

  // A client has connected. `id` is higher than all before. To whom it is charged; nothing when it
  // was turned away.
  std::optional<AccountId> accept(std::uint64_t id, std::shared_ptr<ClientLink> link, Peer peer);
  // Null: nothing is kept. It must outlive this, or be taken back.
  void set_keeper(ClientKeeper* keeper) {
    handshake_.set_keeper(keeper);
    maintenance_.set_keeper(keeper);
  }
  // A client of the process before this one; `opened` is what was kept of its hello, empty when it
  // had not said any. The engine knows its context.
  std::optional<AccountId> adopt(std::uint64_t id, std::shared_ptr<ClientLink> link, Peer peer,
                                 proto::Bytes opened);
  // The client's command is outstanding since then, by this request, and the sink has it.
  void adopt_command(std::uint64_t id, proto::Type request, SharedCommand command);
  // Who had the TPM alone, as it was kept; empty when nobody had. After all clients.
  void adopt_handover(proto::Bytes kept) { maintenance_.adopt(kept); }
  void on_frame(std::uint64_t id, const proto::Frame& frame) override;
  void on_fault(std::uint64_t id, proto::FrameFault fault) override;
  void on_closed(std::uint64_t id) override;
  void on_kept(std::uint64_t id) override;
  [[nodiscard]] bool wants_more(std::uint64_t id) override;
  // The daemon stops. Each client is told and disconnected, once what it has outstanding is
  // answered.
  void stop();
  // Closes every link.
  void close_all();

  // An answer of the sink; ignored when its client has gone.
  void deliver(const sched::Answer& answer);
  // The device became ready or failed.
  void device_changed() { handshake_.device_changed(); }

  // When tick() must be called at the latest; nothing when only events matter.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const { return deadlines_.next(); }
  void tick();

  [[nodiscard]] const Admission& admission() const { return admission_; }
  [[nodiscard]] const RefusalCounts& refusals() const { return audit_.refusals(); }
  // Every limit, and who is nearest to it.
  [[nodiscard]] proto::LimitList limits() const;
  // What those have who have each role of the rules; who has several counts in all of them.
  struct RoleUsage {
    std::string role;
    std::size_t contexts = 0;
    // Of each limit on a user, what the one has who has most.
    std::size_t contexts_of_user = 0;
    std::size_t objects_of_user = 0;
    std::size_t sessions_of_user = 0;
    std::size_t backlog_of_user = 0;  // KiB
  };
  [[nodiscard]] std::vector<RoleUsage> usage_by_role() const;
  [[nodiscard]] const policy::Backlog& backlog() const { return back_pressure_.backlog(); }
  [[nodiscard]] std::size_t held_up() const { return back_pressure_.held_up(); }

 private:
  struct Route;
  // Decodes the message that the handler takes, and calls it.
  template <auto kTopic, auto kHandler>
  static Handled call(Server& server, Client& client, const proto::Frame& frame);

  Handled handle(Client& client, const proto::Frame& frame);
  void assign_all_roles();
  void set_backlog_limits();
  [[nodiscard]] bool lost_its_tenant(const Client& client) const;
  void refuse(Client& client, const Breach& breach);
  void dismiss(Client& client);
  void drop(std::uint64_t id);

  Environment& environment_;
  CommandSink& sink_;
  const policy::Ownership& ownership_;
  AdministratorRule administrators_;
  Audit audit_;
  Clients clients_;
  HandshakeDeadlines deadlines_;
  Admission admission_;
  BackPressure back_pressure_;
  CommandScreening screening_;
  Capture capture_;
  Submissions submissions_;
  Handshake handshake_;
  CommandRequests commands_;
  StickyRequests sticky_;
  InheritanceRequests inheritance_;
  AdministrationRequests administration_;
  LockoutRequests lockout_;
  EventRequests events_;
  CaptureRequests captures_;
  FirmwareRequests firmware_;
  MaintenanceRequests maintenance_;
  bool stopping_ = false;
};

}  // namespace tbs::server
