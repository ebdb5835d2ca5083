#pragma once

// The commands that clients have outstanding: one way in, for commands that clients send and for
// those that the server makes for them, and one way out, with exactly one answer for each.

#include <cstdint>
#include <vector>

#include "daemon/sched/action.h"
#include "daemon/server/audit.h"
#include "daemon/server/back_pressure.h"
#include "daemon/server/capture.h"
#include "daemon/server/clients.h"
#include "daemon/server/command_sink.h"
#include "daemon/server/environment.h"
#include "proto/byte_reader.h"
#include "proto/status.h"

namespace tbs::server {

class Submissions {
 public:
  // All must outlive it.
  Submissions(Clients& clients, CommandSink& sink, BackPressure& back_pressure,
              Environment& environment, Audit& audit, Capture& capture)
      : clients_(clients),
        sink_(sink),
        back_pressure_(back_pressure),
        environment_(environment),
        audit_(audit),
        capture_(capture) {}

  // Queues a command of the client's, with a request id that it has not outstanding. The client may
  // have gone when this returns. When it cannot be queued, that is the answer.
  void enqueue(Client& client, SharedCommand command, ReplyAs reply);
  // The sink has this command of the client's already.
  void adopt(Client& client, SharedCommand command, ReplyAs reply);
  // Answers with a response of the daemon's own, without the TPM.
  void answer_at_once(Client& client, const ClientCommand& command, proto::Bytes response);
  // An answer of the sink; ignored when its client has gone.
  void deliver(const sched::Answer& answer);

 private:
  void add(Client& client, SharedCommand command, ReplyAs reply);
  // For whoever captures, if somebody does.
  void capture(const Client& client, const ClientCommand& command, TimePoint submitted,
               proto::Status status, proto::Bytes response);
  void note(const Client& client, const ClientCommand& command, const sched::Answer& answer);
  void reply(const Client& client, ReplyAs kind, std::uint64_t request_id, proto::Status status,
             proto::Bytes response);

  Clients& clients_;
  CommandSink& sink_;
  BackPressure& back_pressure_;
  Environment& environment_;
  Audit& audit_;
  Capture& capture_;
};

}  // namespace tbs::server
