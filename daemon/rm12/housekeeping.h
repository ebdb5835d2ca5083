#pragma once

// Work of the daemon's own, as executions that no client waits for. Each does its operations one
// after the other, stops early when withdrawn (a client's command waits), and stops at the first
// operation that the TPM refuses for a reason that the tables cannot take in.

#include <optional>

#include "daemon/rm12/procedure.h"
#include "daemon/rm12/tpm_probe.h"

namespace tbs::rm12 {

class Maintenance : public Procedure {
 public:
  using Procedure::Procedure;

 protected:
  // The next operation; empty when there is nothing left to do.
  virtual std::optional<Operation> choose() = 0;
  // After the last operation.
  virtual Step finish() { return done(proto::Status::Success); }
  // Clients may be waiting, and it is due again after the next command of one.
  [[nodiscard]] std::chrono::seconds patience() const override { return std::chrono::seconds(2); }
  Step next() override;
  Step answered(proto::Bytes response, std::uint32_t code) override;

 private:
  Step failed(const Operation& operation, proto::Bytes response, std::uint32_t code) final;
  bool settle(const Operation& operation, std::uint32_t code);
  Step stalled();

  unsigned failures_left_ = 8;
};

// What is due at once: strays, saved sessions that the TPM will soon not take back; and with
// Share::Strict everything that a command left loaded.
class Housekeeping final : public Maintenance {
 public:
  using Maintenance::Maintenance;
  static bool due(const State& state);

 private:
  std::optional<Operation> choose() override;
};

// Empties the TPM's slots for others; what was in them can be loaded again.
class EvictAll final : public Maintenance {
 public:
  using Maintenance::Maintenance;
  static bool due(const State& state);

 private:
  std::optional<Operation> choose() override;
};

// Looks into the TPM, removes leftovers, and learns how much fits.
class BringUp final : public Maintenance {
 public:
  BringUp(State& state, TpmProbe::Reason reason)
      : Maintenance(state), probe_(std::in_place, state, reason), room_(state) {}

 private:
  Step next() override;
  Step answered(proto::Bytes response, std::uint32_t code) override;
  std::optional<Operation> choose() override;
  Step finish() override;
  [[nodiscard]] bool can_give_up() const override { return false; }
  [[nodiscard]] std::chrono::seconds patience() const override { return exec::kPatience; }

  std::optional<TpmProbe> probe_;
  Room room_;
};

// The last execution before the daemon stops: flushes all that clients left behind, then tells the
// TPM to save its state where the daemon is what powers it.
class Shutdown final : public Maintenance {
 public:
  Shutdown(State& state, bool shut_down);

 private:
  std::optional<Operation> choose() override;
  Step finish() override;

  bool shut_down_;
};

}  // namespace tbs::rm12
