#pragma once

// What happens after the device was opened: the start common to both families, then the bring-up of
// the engine that it leads to. A TPM that cannot be used, or not fully, is no reason to look away:
// what is wrong with it is told, and in failure mode it still answers some commands.

#include <functional>
#include <memory>

#include "daemon/exec/execution.h"

namespace tbs::exec {

// Whether a response says that something is wrong with the TPM as a whole: failure mode, field
// upgrade mode, a failed self-test, a TPM 1.2 that is disabled or deactivated. Some TPM 2.0 chips
// give TPM_RC_FAILURE to single commands, so the TPM has to be looked at before this is believed.
bool casts_doubt(std::span<const std::uint8_t> response);

// Ends with Success when the TPM can be sent commands; `identity.health` then says whether it is as
// it should be. Ends with another status when it cannot, with the reason in `identity.health`.
class BringUp final : public Execution {
 public:
  using Next = std::function<std::unique_ptr<Execution>()>;

  // `identity` must outlive it. `next` may be empty.
  BringUp(TpmIdentity& identity, Next next);

  Step start() override;
  Step on_response(std::span<const std::uint8_t> response) override;
  Step on_pause_over() override;
  void withdraw() override {}
  void detach() override {}

 private:
  Step follow(Step step);
  Step concluded(Step step);

  TpmIdentity& identity_;
  std::unique_ptr<Execution> stage_;
  Next next_;
  std::uint32_t asked_ = 0;     // the code of the last command
  std::uint32_t answered_ = 0;  // and of its response
  bool upgrading_ = false;
};

}  // namespace tbs::exec
