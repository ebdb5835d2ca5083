#pragma once

// Looks at the TPM and puts the tables right, as a series of commands told one by one: starts the
// TPM where needed, recognizes a reset, learns what the TPM is, compares handles, and flushes what
// belongs to nobody. It is an execution of its own when the device was opened, and part of a
// client's execution when the TPM turns out to have been reset meanwhile.

#include <cstdint>
#include <optional>
#include <span>

#include "daemon/rm/handle_lists.h"
#include "daemon/rm/reconcile.h"
#include "daemon/rm/state.h"
#include "daemon/tpm/lockout.h"
#include "proto/tpm/capability.h"

namespace tbs::rm {

class TpmProbe {
 public:
  enum class Reason : std::uint8_t {
    BringUp,  // the device was opened
    Restart,  // the TPM says that it wants to be started
    Check,    // the TPM contradicts the tables
    Removal,  // a client's command removed objects, and perhaps set the reset counts back
    Lockout,  // only what the TPM says about failed authorizations
  };

  TpmProbe(State& state, Reason reason);

  // The next command; empty when the look is over.
  std::optional<proto::Buffer> next();
  // Takes the response to it. False when the TPM cannot be used.
  bool take(proto::Bytes response);

 private:
  enum class Stage : std::uint8_t {
    Start,
    Clock,
    Fixed,
    Commands,
    Handles,
    Strays,
    Room,
    Lockout,
    Over
  };

  bool take_start(proto::Bytes response);
  bool take_clock(proto::Bytes response);
  bool take_fixed(proto::Bytes response);
  bool take_commands(proto::Bytes response);
  bool take_handles(proto::Bytes response);
  bool take_room(proto::Bytes response);
  void judge_counts(const ResetCounts& counts);
  [[nodiscard]] std::uint32_t first_property() const;
  void compare();
  void advance();
  [[nodiscard]] exec::LossCause cause() const;

  State& state_;
  Reason reason_;
  std::span<const Stage> stages_;
  HandleLists lists_;
  std::vector<std::uint32_t> attributes_;
  std::uint32_t property_ = 0;
  Losses losses_;
  tpm::Lockout lockout_;
  bool reset_ = false;
  bool restarted_ = false;
};

}  // namespace tbs::rm
