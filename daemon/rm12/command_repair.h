#pragma once

// What to do when the TPM refuses a client's command, or a step on the way to it, for a reason that
// the resource manager can do something about. Every kind of repair has a budget, so that no TPM
// can keep a command here for ever; past it the TPM's own answer goes to the client.
//
// A TPM 1.2 ends the sessions of a command that fails, though not always. So a failed command with
// sessions is followed by a look at the TPM's lists, and is repeated only when they all survived.

#include <cstdint>
#include <optional>

#include "daemon/rm12/command_run.h"
#include "daemon/rm12/operation.h"

namespace tbs::rm12 {

class CommandRepair {
 public:
  // Where the command goes on.
  enum class Way : std::uint8_t {
    None,           // nothing can be done: the TPM's answer is the client's
    MakeRoom,       // next() has what comes first; then the command again
    LookAtTpm,      // the tables are in doubt
    LookAndRepeat,  // the same, and the command again when everything that it needs has survived
    StartTpm,       // the TPM wants to be started; then the command is understood anew
  };

  explicit CommandRepair(CommandRun& run) : run_(run) {}

  // The TPM has refused the client's command.
  Way repair_command(std::uint32_t code);
  // The TPM has refused a step on the way to it, for no reason that changes the tables.
  Way repair_step(const Operation& operation, std::uint32_t code);
  // `way` where the TPM may be looked at once more; else the next command has to do it.
  Way look(Way way);
  // The next step of a repair that is under way; empty when it is over.
  std::optional<Operation> next();
  // Whether the command may be understood anew because something was lost.
  bool may_lose_more();
  // Whether anything of the budgets is spent.
  [[nodiscard]] bool begun() const { return begun_; }

 private:
  bool spend(unsigned& budget);
  bool free_slot();
  bool free_slot_for(const Operation& operation);
  bool drop_session();

  CommandRun& run_;
  std::optional<Kind> force_;
  // Repairs that are still allowed.
  unsigned evictions_left_ = 16;
  unsigned drops_left_ = 4;
  unsigned looks_left_ = 2;
  unsigned losses_left_ = 8;
  bool begun_ = false;
};

}  // namespace tbs::rm12
