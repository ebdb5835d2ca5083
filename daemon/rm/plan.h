#pragma once

// What a client's command needs in the TPM, found by looking its handles up in the tables. A
// handle that the context does not own gets the answer that a handle gets which does not exist.

#include <array>
#include <cstdint>
#include <expected>
#include <span>

#include "daemon/exec/inline_set.h"
#include "daemon/rm/eviction.h"
#include "daemon/rm/state.h"
#include "daemon/tpm/command_view.h"
#include "proto/tpm/constants.h"

namespace tbs::rm {

struct Plan {
  // What must be loaded when the command runs.
  exec::InlineSet<Object*, tpm::kMaxHandles> objects;
  exec::InlineSet<Session*, tpm::kMaxHandles + tpm::kMaxSessions> sessions;
  // By position in the command: null where it is something else.
  std::array<Object*, tpm::kMaxHandles> handle_objects{};
  std::array<Session*, tpm::kMaxSessions> authorizations{};
  // Slots that the command takes besides: for its result, and while it runs.
  std::size_t object_slots = 0;
  std::size_t session_slots = 0;

  [[nodiscard]] Pins pins() const { return {objects.all(), sessions.all()}; }
};

struct PlanFault {
  std::uint32_t code = 0;  // the response code (without layer) for the client
  Object* lost = nullptr;  // the client's handle has lost what it stood for: nothing brings it back
};

// Looks, and changes nothing.
std::expected<Plan, PlanFault> make_plan(const State& state, ContextId context,
                                         const tpm::CommandView& command);

// A session that `context` may use: it owns it, and has not saved it.
Session* usable_session(const State& state, ContextId context, exec::PhysicalHandle handle);

}  // namespace tbs::rm
