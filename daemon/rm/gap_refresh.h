#pragma once

// Loads and saves the oldest saved sessions anew until none is close to the context gap.

#include <optional>

#include "daemon/rm/eviction.h"
#include "daemon/rm/operation.h"
#include "daemon/rm/state.h"

namespace tbs::rm {

class GapRefresh {
 public:
  // Before: a session is due, but the TPM has not complained. Now: it has (TPM_RC_CONTEXT_GAP), so
  // the oldest is refreshed whatever its number says; the counter may have been moved by others.
  enum class Urgency : std::uint8_t { Before, Now };

  GapRefresh(State& state, Urgency urgency);
  // Whether there is anything to do before the TPM complains.
  static bool due(State& state);

  // The next operation; empty when nothing is left to do or nothing can be done.
  std::optional<Operation> next(const Pins& pins);

 private:
  [[nodiscard]] Session* candidate();
  [[nodiscard]] bool may_refresh() const;

  State& state_;
  // The handle of the session that was loaded to be saved again.
  std::optional<exec::PhysicalHandle> current_;
  unsigned refreshed_ = 0;
  unsigned most_;
  bool asked_for_;  // by the TPM
  bool urgent_;     // the first one is still to be done
};

}  // namespace tbs::rm
