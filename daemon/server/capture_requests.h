#pragma once

// Requests for what clients and the TPM say to each other. For administrators.

#include <cstdint>
#include <map>

#include "daemon/server/audit.h"
#include "daemon/server/capture.h"
#include "daemon/server/clients.h"
#include "daemon/server/environment.h"
#include "daemon/server/handled.h"
#include "proto/message.h"

namespace tbs::server {

class CaptureRequests {
 public:
  // All must outlive it.
  CaptureRequests(Clients& clients, Capture& capture, Environment& environment, Audit& audit);

  Handled read_capture(Client& client, std::uint64_t request_id, const proto::ReadCapture& request);
  // The client has gone.
  void forget(std::uint64_t id);

 private:
  struct Waiting {
    std::uint64_t request_id = 0;
    std::uint64_t after = 0;
    std::uint64_t context = 0;
    std::uint64_t lost = 0;
  };

  static void send(const Client& client, std::uint64_t request_id, const Capture::Page& page);
  void answer_waiting();

  Clients& clients_;
  Capture& capture_;
  Environment& environment_;
  Audit& audit_;
  std::map<std::uint64_t, Waiting> waiting_;  // by client
  bool posted_ = false;
};

}  // namespace tbs::server
