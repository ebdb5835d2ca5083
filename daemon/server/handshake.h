#pragma once

// Hello, and the questions that are answered once the TPM has been started: a client that wakes the
// daemon through its socket is not told to come again.

#include <cstdint>

#include "daemon/server/admission.h"
#include "daemon/server/audit.h"
#include "daemon/server/client_keeper.h"
#include "daemon/server/clients.h"
#include "daemon/server/command_sink.h"
#include "daemon/server/engine_settings.h"
#include "daemon/server/environment.h"
#include "daemon/server/handled.h"
#include "daemon/server/handshake_deadlines.h"
#include "proto/message.h"

namespace tbs::server {

class Handshake {
 public:
  // All must outlive it.
  Handshake(Clients& clients, CommandSink& sink, EngineSettings& settings, Admission& admission,
            HandshakeDeadlines& deadlines, Environment& environment, Audit& audit)
      : clients_(clients),
        sink_(sink),
        settings_(settings),
        admission_(admission),
        deadlines_(deadlines),
        environment_(environment),
        audit_(audit) {}

  Handled hello(Client& client, std::uint64_t request_id, const proto::Hello& hello);
  Handled device_info(Client& client, std::uint64_t request_id, const proto::DeviceInfo&);
  // Null: nothing is kept. It must outlive this, or be taken back.
  void set_keeper(ClientKeeper* keeper) { keeper_ = keeper; }
  // The client was open in the process before this one, which has told the engine of its context.
  void go_on(Client& client);
  // The device became ready or failed: clients that wait for that are answered.
  void device_changed();

 private:
  void keep_and_answer(Client& client);
  void answer_hello(Client& client);
  void open_context(Client& client);
  void answer_device_info(Client& client);

  Clients& clients_;
  CommandSink& sink_;
  EngineSettings& settings_;
  Admission& admission_;
  HandshakeDeadlines& deadlines_;
  Environment& environment_;
  Audit& audit_;
  ClientKeeper* keeper_ = nullptr;
};

}  // namespace tbs::server
