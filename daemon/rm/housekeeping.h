#pragma once

// Work of the daemon's own, as executions that no client waits for. Each does its operations one
// after the other, stops early when withdrawn (a client's command waits), and stops at the first
// operation that the TPM refuses for a reason that the tables cannot take in.

#include <optional>

#include "daemon/rm/gap_refresh.h"
#include "daemon/rm/procedure.h"

namespace tbs::rm {

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
  Step answered(proto::Bytes response, std::uint32_t code) override;

 private:
  Step next() final;
  Step failed(const Operation& operation, proto::Bytes response, std::uint32_t code) final;

  Step stalled();

  unsigned failures_left_ = 8;
};

// What is due at once: strays, orphans that are too old, sessions close to the context gap; and
// what a command left loaded where others shall find free slots.
class Housekeeping final : public Maintenance {
 public:
  explicit Housekeeping(State& state);
  // Whether there is anything to do.
  static bool due(State& state);
  // A short look: false where there cannot be.
  static bool may_be_due(const State& state);

 private:
  std::optional<Operation> choose() override;

  GapRefresh gap_;
};

// Empties the TPM's slots for others; what was in them can be loaded again.
class EvictAll final : public Maintenance {
 public:
  using Maintenance::Maintenance;
  static bool due(State& state);

 private:
  std::optional<Operation> choose() override;
};

// The last execution before the daemon stops: flushes all that clients left behind, then tells the
// TPM to shut down where the daemon is what powers it.
class Shutdown final : public Maintenance {
 public:
  Shutdown(State& state, bool shut_down) : Maintenance(state), shut_down_(shut_down) {}

 private:
  std::optional<Operation> choose() override;
  Step finish() override;

  bool shut_down_;
};

}  // namespace tbs::rm
