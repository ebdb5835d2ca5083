#pragma once

// What the server tells the engine and its guards past the commands.

#include <optional>

#include "daemon/base/ids.h"

namespace tbs::server {

class EngineSettings {
 public:
  virtual ~EngineSettings() = default;
  // The context has the TPM to itself.
  virtual void claim_tpm(ContextId context) = 0;
  // The lockout guard forgets the failures of an account, or of all.
  virtual void forget_failures(std::optional<AccountId> account) = 0;
};

}  // namespace tbs::server
