#pragma once

// Requests about TPM commands: submit, cancel, and the revocation of the attestation, which is a
// command of the server's own in the client's name.

#include <cstdint>
#include <optional>

#include "daemon/server/audit.h"
#include "daemon/server/client.h"
#include "daemon/server/command_screening.h"
#include "daemon/server/command_sink.h"
#include "daemon/server/handled.h"
#include "daemon/server/submissions.h"
#include "proto/message.h"

namespace tbs::server {

class CommandRequests {
 public:
  // All must outlive it.
  CommandRequests(CommandSink& sink, CommandScreening& screening, Submissions& submissions,
                  Audit& audit)
      : sink_(sink), screening_(screening), submissions_(submissions), audit_(audit) {}

  Handled submit(Client& client, std::uint64_t request_id, const proto::Submit& submit);
  Handled cancel(Client& client, std::uint64_t request_id, const proto::Cancel&);
  Handled cancel_command(Client& client, std::uint64_t request_id,
                         const proto::CancelCommand& wanted);
  Handled revoke_attestation(Client& client, std::uint64_t request_id,
                             const proto::RevokeAttestation&);

 private:
  struct Unacceptable {
    proto::Status status;
    Refusal refusal;
  };
  // Why the command cannot be carried at all; nothing when it can.
  [[nodiscard]] std::optional<Unacceptable> unacceptable(const Client& client,
                                                         const proto::Submit& submit) const;
  // Null when the bytes are no command. The family of the TPM must be known.
  [[nodiscard]] SharedCommand command_of(const Client& client, std::uint64_t request_id,
                                         const proto::Submit& submit) const;

  CommandSink& sink_;
  CommandScreening& screening_;
  Submissions& submissions_;
  Audit& audit_;
};

}  // namespace tbs::server
