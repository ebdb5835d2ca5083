#pragma once

// Requests to leave the TPM to a program of an administrator's for a while. There is one at a time.

#include <cstdint>
#include <optional>

#include "daemon/server/audit.h"
#include "daemon/server/client_keeper.h"
#include "daemon/server/clients.h"
#include "daemon/server/command_sink.h"
#include "daemon/server/handled.h"
#include "proto/message.h"

namespace tbs::server {

class MaintenanceRequests {
 public:
  // All must outlive it.
  MaintenanceRequests(Clients& clients, CommandSink& sink, Audit& audit)
      : clients_(clients), sink_(sink), audit_(audit) {}

  Handled maintenance(Client& client, std::uint64_t request_id, const proto::Maintenance& request);
  // The client has gone.
  void forget(std::uint64_t id);
  // Null: nothing is kept for a successor. It must outlive this, or be taken back.
  void set_keeper(ClientKeeper* keeper) { keeper_ = keeper; }
  // What the process before this one has kept of who had the TPM; empty when nobody had.
  void adopt(proto::Bytes kept);
  // The daemon stops, and nobody goes on with it.
  void stop();

 private:
  struct Current {
    std::uint64_t client = 0;
    std::uint64_t request_id = 0;
    bool stays = false;
    bool given = false;  // it has the TPM
  };
  struct Kept;

  proto::Status begin(const Client& client, std::uint64_t request_id,
                      const proto::Maintenance& request);
  void given(const sched::HandoverDeadlines& until);
  void end(const char* why);

  Clients& clients_;
  CommandSink& sink_;
  Audit& audit_;
  ClientKeeper* keeper_ = nullptr;
  std::optional<Current> current_;
};

}  // namespace tbs::server
