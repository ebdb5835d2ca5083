#pragma once

// Requests about the daemon and its clients: who is there and what they use, and cancelling another
// context.

#include <cstdint>

#include "daemon/base/clock.h"
#include "daemon/policy/ownership.h"
#include "daemon/server/admission.h"
#include "daemon/server/audit.h"
#include "daemon/server/back_pressure.h"
#include "daemon/server/clients.h"
#include "daemon/server/command_sink.h"
#include "daemon/server/environment.h"
#include "daemon/server/handled.h"
#include "proto/message.h"

namespace tbs::server {

class AdministrationRequests {
 public:
  // All must outlive it.
  AdministrationRequests(const Clients& clients, CommandSink& sink, const Admission& admission,
                         const BackPressure& back_pressure, const policy::Ownership& ownership,
                         const Environment& environment, Audit& audit)
      : clients_(clients),
        sink_(sink),
        admission_(admission),
        back_pressure_(back_pressure),
        ownership_(ownership),
        environment_(environment),
        audit_(audit),
        started_(environment.now()) {}

  Handled list_contexts(Client& client, std::uint64_t request_id, const proto::ListContexts& list);
  Handled cancel_context(Client& client, std::uint64_t request_id,
                         const proto::CancelContext& request);
  Handled daemon_status(Client& client, std::uint64_t request_id, const proto::DaemonStatus&);
  Handled list_limits(Client& client, std::uint64_t request_id, const proto::ListLimits&);
  Handled list_holdings(Client& client, std::uint64_t request_id,
                        const proto::ListHoldings& request);
  Handled list_activity(Client& client, std::uint64_t request_id, const proto::ListActivity& list);
  Handled list_tenants(Client& client, std::uint64_t request_id, const proto::ListTenants&);

 private:
  [[nodiscard]] proto::ContextEntry describe(const Client& client) const;
  // Whether `by` may cancel what `target`, which may be nobody, has outstanding.
  [[nodiscard]] proto::Status may_concern(const Client& by, const Client* target) const;

  const Clients& clients_;
  CommandSink& sink_;
  const Admission& admission_;
  const BackPressure& back_pressure_;
  const policy::Ownership& ownership_;
  const Environment& environment_;
  Audit& audit_;
  TimePoint started_;
};

}  // namespace tbs::server
