#pragma once

// The frame that every execution shares: one step at a time, waiting when the TPM asks for it, and
// keeping the tables true after each operation. What the steps are, the derived classes decide anew
// from the tables after every answer. (The counterpart of daemon/rm/procedure.h.)

#include <cstdint>
#include <optional>
#include <span>

#include "daemon/exec/execution.h"
#include "daemon/rm/backoff.h"
#include "daemon/rm12/operation.h"
#include "daemon/rm12/state.h"

namespace tbs::rm12 {

class Procedure : public exec::Execution {
 public:
  using Step = exec::Step;

  explicit Procedure(State& state) : state_(state) {}
  ~Procedure() override { end(); }
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
  // An operation was refused; the tables have not been touched yet.
  virtual Step failed(const Operation& operation, proto::Bytes response, std::uint32_t code) = 0;
  // Whether the execution may still end without having done anything.
  [[nodiscard]] virtual bool can_give_up() const { return true; }
  // Ends it so: withdraw() came in time.
  Step given_up() { return done(proto::Status::CommandCanceled); }

  Step perform(const Operation& operation);
  Step send(proto::Buffer command, std::uint8_t locality = 0, bool client_command = false);
  Step done(proto::Buffer response);
  Step done(proto::Status status);

  [[nodiscard]] bool withdrawn() const { return withdrawn_; }
  [[nodiscard]] bool detached() const { return detached_; }

  State& state_;

 private:
  std::optional<Step> wait_for(std::uint32_t code);
  Step operation_answered(proto::Bytes response, std::uint32_t code);
  void end();

  exec::Transmit last_;
  std::optional<Operation> operation_;
  std::optional<rm::Backoff> backoff_;
  bool self_test_asked_ = false;
  bool self_testing_ = false;
  unsigned operations_ = 0;
  bool withdrawn_ = false;
  bool detached_ = false;
  bool active_ = false;
};

}  // namespace tbs::rm12
