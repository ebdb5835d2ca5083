#pragma once

// The way of one client command, from its bytes to the client's response, the same for both
// families. It goes through these phases, and back to an earlier one when the TPM's answer calls
// for a repair:
//
//   Check    -> look into the TPM first, if the tables are in doubt
//   Decide   -> understand the command; answer it from memory or refuse it where that is possible
//   Prepare  -> load what it needs, evict what is in the way
//   Command  -> send it, with physical handles
//   After    -> look into the TPM where the command may have ended more than it says
//   Undo     -> flush what it created, if nobody waits for it any more
//   Verify   -> compare the tables with the TPM (Options::verify)
//
// Which phase it is in is all that is kept here; the resource managers fill the phases.

#include <cstdint>
#include <optional>

#include "daemon/exec/execution.h"

namespace tbs::exec {

class ClientPhases {
 protected:
  enum class Phase : std::uint8_t { Check, Decide, Prepare, Command, After, Undo, Verify, Over };

  ClientPhases() = default;
  ~ClientPhases() = default;

  // Goes on from where it is to the next step there is to take.
  Step proceed();

  // What the phases do: the step to take, or nothing when the phase is over. One that sets phase_
  // goes on there, else with the phase after it.
  virtual std::optional<Step> look() = 0;  // Check and After
  virtual std::optional<Step> decide() = 0;
  virtual std::optional<Step> prepare() = 0;
  virtual Step transmit() = 0;  // Command
  virtual std::optional<Step> undo() = 0;
  virtual std::optional<Step> verify() = 0;
  // All phases are over.
  virtual Step reply() = 0;

  Phase phase_ = Phase::Check;

 private:
  std::optional<Step> step_of(Phase phase);
};

}  // namespace tbs::exec
