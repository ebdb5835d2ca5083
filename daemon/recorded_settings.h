#pragma once

// What the server tells the engine past the commands, on its way through the record.

#include <optional>

#include "daemon/restart/recorded_engine.h"
#include "daemon/server/engine_settings.h"

namespace tbs {

class RecordedSettings final : public server::EngineSettings {
 public:
  // It must outlive this.
  explicit RecordedSettings(restart::RecordedEngine& engine) : engine_(engine) {}

  void claim_tpm(ContextId context) override { engine_.apply(restart::RawContext{context}); }
  void forget_failures(std::optional<AccountId> account) override {
    engine_.apply(restart::ForgetFailures{account});
  }

 private:
  restart::RecordedEngine& engine_;
};

}  // namespace tbs
