#pragma once

// The frame that every execution of a resource manager shares: one step at a time, the same bytes
// once more where the TPM was not ready for them, and an end after a bound. What the steps are, the
// derived classes decide anew from the tables after every answer. A client's command that the TPM
// was not ready for ends instead and comes again, where nothing of it is done yet: nobody waits for
// it, and what it needs is looked for anew.
//
// The resource managers derive their own Procedure from it, which knows what the steps do to their
// tables; what a family's response codes say about the TPM is told by a TpmFamily.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "daemon/exec/backoff.h"
#include "daemon/exec/execution.h"
#include "daemon/exec/manager_state.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"

namespace tbs::exec {

// Whether the TPM was ready for a command. One that was not has done nothing.
enum class Readiness : std::uint8_t {
  Ready,
  Later,     // the same bytes are good a little later
  NvLater,   // so is whatever else writes to the TPM's non-volatile memory
  SelfTest,  // the same bytes are good after a self-test, which has to be asked for
};

// What the frame has to know of a TPM family.
struct TpmFamily {
  Readiness (*readiness_of)(std::uint32_t response_code);
  // How long a command may keep the TPM.
  std::chrono::seconds (*deadline_of)(std::uint32_t command_code);
  // The command that asks for a self-test; null where no response code does.
  proto::Buffer (*self_test)();
  // More than any good TPM needs for one execution. One that gives the same handle to everything
  // would otherwise have the same things loaded for ever.
  unsigned most_operations;
};

class Procedure : public Execution {
 public:
  // Both must outlive it.
  Procedure(ManagerState& state, const TpmFamily& family) : manager_(state), family_(family) {
    last_.command.swap(state.sent_before);
  }
  ~Procedure() override;
  Procedure(const Procedure&) = delete;
  Procedure& operator=(const Procedure&) = delete;

  Step start() final;
  Step on_response(std::span<const std::uint8_t> response) final;
  Step on_pause_over() final;
  void withdraw() override { withdrawn_ = true; }
  void detach() override { withdrawn_ = detached_ = true; }

 protected:
  // What to do now.
  virtual Step next() = 0;
  // The response to send(). It has a whole header, and does not ask to wait any longer.
  virtual Step answered(proto::Bytes response, std::uint32_t code) = 0;
  // The same for operate().
  virtual Step operation_answered(proto::Bytes response, std::uint32_t code) = 0;
  // How long a TPM that asks to wait is waited for, with each command.
  [[nodiscard]] virtual std::chrono::seconds patience() const { return kPatience; }
  // The TPM is not ready. Whether the execution can end for that, and another one begin anew.
  virtual bool leaves_for_later() { return false; }
  // Whether the execution may still end without having done anything, when withdraw() came in time.
  [[nodiscard]] virtual bool can_give_up() const { return true; }

  Step send(proto::Buffer command, std::uint8_t locality = 0, bool client_command = false);
  // Sends a step that moves something in or out of the TPM. There may be only so many of these.
  Step operate(proto::Buffer command);
  Step done(proto::Buffer response);
  Step done(proto::Status status);
  Step given_up() { return done(proto::Status::CommandCanceled); }
  // The TPM has said something that makes no sense: what it holds is in doubt.
  Step invalid_response();

  [[nodiscard]] bool withdrawn() const { return withdrawn_; }
  [[nodiscard]] bool detached() const { return detached_; }

 private:
  std::optional<Step> wait_for(Readiness readiness, proto::Bytes response);
  Step later(Readiness readiness, proto::Bytes response);
  void end();

  ManagerState& manager_;
  const TpmFamily& family_;
  Transmit last_;
  std::optional<Backoff> backoff_;
  unsigned operations_ = 0;
  bool operating_ = false;
  bool self_test_asked_ = false;
  bool self_testing_ = false;
  bool withdrawn_ = false;
  bool detached_ = false;
  bool active_ = false;
};

}  // namespace tbs::exec
