#pragma once

// Starting a TPM nobody has started, asking it what it is, and shutting it down in good order.
// It goes on with a TPM in failure mode, which still says what it is. Works for both families: a
// TPM 1.2 answers a TPM 2.0 command with TPM_BADTAG in a response of its own kind, and is then
// spoken to in its own words.

#include "daemon/exec/execution.h"

namespace tbs::exec {

// Ends with Success and `identity` filled in, or with IoError when the TPM cannot be used.
class Startup : public Execution {
 public:
  explicit Startup(TpmIdentity& identity) : identity_(identity) {}

  Step start() override;
  Step on_response(std::span<const std::uint8_t> response) override;
  Step on_pause_over() override;
  void withdraw() override {}
  void detach() override {}

 private:
  enum class Stage : std::uint8_t {
    Startup20,
    Properties20,
    Startup12,
    Properties12,
    PermanentFlags12,
    VolatileFlags12
  };

  Step send();
  Step advance(Stage stage);
  Step on_startup20(std::uint16_t tag, std::uint32_t code);
  Step on_flags12(std::span<const std::uint8_t> response);
  Step retry();

  TpmIdentity& identity_;
  Stage stage_ = Stage::Startup20;
  unsigned attempts_ = 0;
};

// Sends TPM2_Shutdown(CLEAR), or TPM_SaveState to a TPM 1.2, when the daemon is what powers the
// TPM; without it the next start counts as an unexpected one against the dictionary-attack counter.
class Shutdown : public Execution {
 public:
  Shutdown(const TpmIdentity& identity, bool owns_power)
      : family_(identity.family), owns_power_(owns_power) {}

  Step start() override;
  Step on_response(std::span<const std::uint8_t>) override { return Done{}; }
  Step on_pause_over() override { return Done{}; }
  void withdraw() override {}
  void detach() override {}

 private:
  std::optional<Family> family_;
  bool owns_power_;
};

}  // namespace tbs::exec
