#pragma once

// What to do when the TPM answers a client's command, or a step on the way to it, with a warning
// that the resource manager can put right. Every kind of repair has a budget, so that no TPM can
// keep a command here for ever; past it the TPM's own answer goes to the client.

#include <cstdint>
#include <optional>

#include "daemon/rm/command_run.h"
#include "daemon/rm/gap_refresh.h"
#include "daemon/rm/operation.h"

namespace tbs::rm {

class CommandRepair {
 public:
  // Where the command goes on.
  enum class Way : std::uint8_t {
    None,       // nothing can be done: the TPM's answer is the client's
    MakeRoom,   // next() has what comes first; then the command again
    LookAtTpm,  // the tables are in doubt
    StartTpm,   // the TPM wants to be started
  };

  explicit CommandRepair(CommandRun& run) : run_(run) {}

  // `client_command`: it was the client's own command that the TPM refused.
  Way repair(std::uint32_t code, bool client_command);
  // The next step of a repair that is under way; empty when it is over.
  std::optional<Operation> next();
  // A step has failed: what it belonged to is given up.
  void give_up() { gap_.reset(); }
  // This session makes room for a new one.
  void drop(Session& session) { dropped_ = &session; }
  void keep_all_sessions() { dropped_ = nullptr; }
  // Whether the command may be understood anew because something was lost.
  bool may_lose_more();
  // Whether anything of the budgets is spent.
  [[nodiscard]] bool begun() const { return begun_; }

 private:
  bool spend(unsigned& budget);
  bool free_object();
  bool free_session();
  bool drop_session();
  bool refresh_gap();
  Way look(Way way);
  void learn_from_refusal();
  std::optional<Operation> forced();
  std::optional<Operation> drop_chosen();

  CommandRun& run_;
  Session* dropped_ = nullptr;
  std::optional<GapRefresh> gap_;
  bool force_object_ = false;
  bool force_session_ = false;
  // Repairs that are still allowed.
  unsigned evictions_left_ = 16;
  unsigned gaps_left_ = 1;
  unsigned drops_left_ = 1;
  unsigned looks_left_ = 1;
  unsigned losses_left_ = 8;
  bool begun_ = false;
};

}  // namespace tbs::rm
