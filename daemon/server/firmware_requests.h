#pragma once

// Requests about what the machine keeps outside the TPM, answered when a file was read.

#include <cstdint>

#include "daemon/firmware/firmware.h"
#include "daemon/server/admission.h"
#include "daemon/server/audit.h"
#include "daemon/server/clients.h"
#include "daemon/server/command_sink.h"
#include "daemon/server/handled.h"
#include "proto/message.h"

namespace tbs::server {

class FirmwareRequests {
 public:
  // All must outlive it.
  FirmwareRequests(Clients& clients, firmware::Firmware& firmware, const CommandSink& sink,
                   const Admission& admission, Audit& audit)
      : clients_(clients), firmware_(firmware), sink_(sink), admission_(admission), audit_(audit) {}

  Handled read_log(Client& client, std::uint64_t request_id, const proto::ReadLog& request);
  Handled physical_presence(Client& client, std::uint64_t request_id,
                            const proto::PhysicalPresence& message);
  Handled owner_auth(Client& client, std::uint64_t request_id, const proto::OwnerAuth& request);

 private:
  // A handler that sends what the firmware says as a Reply, if the client is still there.
  template <typename Reply>
  auto answer(Client& client, std::uint64_t request_id);
  [[nodiscard]] proto::Status may_read_log(const Client& client, std::uint32_t log_type) const;

  Clients& clients_;
  firmware::Firmware& firmware_;
  const CommandSink& sink_;
  const Admission& admission_;
  Audit& audit_;
};

}  // namespace tbs::server
