#pragma once

// Has the last word on a client's command, at the moment when nothing else stands between it and
// the TPM, and learns what the TPM says to it.

#include <optional>

#include "daemon/command/client_command.h"

namespace tbs {

class CommandGuard {
 public:
  virtual ~CommandGuard() = default;

  // The response that the command gets instead of reaching the TPM, if it is held back.
  virtual std::optional<proto::Buffer> refusal(const ClientCommand& command) = 0;
  // What the guard has to ask the TPM before it decides, and what the TPM answers; nothing when it
  // knows enough.
  virtual std::optional<proto::Buffer> question(const ClientCommand& command) {
    static_cast<void>(command);
    return std::nullopt;
  }
  virtual void answered(proto::Bytes response) { static_cast<void>(response); }
  // Whether the guard wants to know what the TPM answers.
  [[nodiscard]] virtual bool watches(const ClientCommand& command) const = 0;
  // Told each response of the TPM, repetitions included, and also when nobody waits for it any
  // more.
  virtual void responded(const ClientCommand& command, proto::Bytes response) = 0;
};

}  // namespace tbs
