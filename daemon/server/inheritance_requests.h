#pragma once

// Requests of a forked child for copies of what its parent's context has.

#include <cstdint>

#include "daemon/server/audit.h"
#include "daemon/server/clients.h"
#include "daemon/server/command_sink.h"
#include "daemon/server/handled.h"
#include "proto/message.h"

namespace tbs::server {

class InheritanceRequests {
 public:
  // All must outlive it.
  InheritanceRequests(Clients& clients, CommandSink& sink, Audit& audit)
      : clients_(clients), sink_(sink), audit_(audit) {}

  Handled inherit_objects(Client& client, std::uint64_t request_id,
                          const proto::InheritObjects& request);

 private:
  proto::Status inherit(const Client& heir, const proto::InheritObjects& request);

  Clients& clients_;
  CommandSink& sink_;
  Audit& audit_;
};

}  // namespace tbs::server
