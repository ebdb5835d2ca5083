#pragma once

// What a client's command needs in the TPM, found by looking its handles up in the tables. A handle
// that the context does not own gets the answer that a handle gets which does not exist.

#include <array>
#include <cstdint>
#include <expected>
#include <optional>

#include "daemon/exec/inline_set.h"
#include "daemon/rm12/eviction.h"
#include "daemon/rm12/state.h"
#include "daemon/tpm12/command_view.h"

namespace tbs::rm12 {

// At most: two keys and two sessions, each with a key, within a transport session; a transport
// session of a released key has one more.
inline constexpr std::size_t kMostNeeded = 12;

// Where in the command a physical handle goes.
struct Placement {
  std::size_t offset = 0;
  Resource* resource = nullptr;
  bool operator==(const Placement&) const = default;
};

struct Plan {
  exec::InlineSet<Resource*, kMostNeeded> keys;
  exec::InlineSet<Resource*, kMostNeeded> sessions;
  exec::InlineSet<Resource*, 2 * kMostNeeded> all;
  exec::InlineSet<Placement, kMostNeeded> placements;
  // By position in the command; and in the wrapped one, where it is TPM_ExecuteTransport.
  std::array<Resource*, tpm12::kMaxAuths> auths{};
  std::array<Resource*, tpm12::kMaxAuths> wrapped_auths{};
  // What the command, or the wrapped one, makes: it needs a slot.
  std::optional<Kind> creates;
  // What a new OSAP or DSAP session is bound to, where that is a key that may be evicted; and what
  // it is about otherwise.
  Resource* entity_key = nullptr;
  std::uint32_t entity = tpm12::kReservedSrk;

  void need(Resource& resource);
  void place(std::size_t offset, Resource& resource) {
    placements.add({.offset = offset, .resource = &resource});
    need(resource);
  }
  [[nodiscard]] Pins pins() const { return all.all(); }
};

struct PlanFault {
  std::uint32_t code = 0;    // the return code for the client
  Resource* lost = nullptr;  // what the command names and nothing brings back
};

// What `command` (and `wrapped`, which may be null) names. Looks, and changes nothing.
std::expected<Plan, PlanFault> make_plan(const State& state, ContextId context,
                                         const tpm12::CommandView& command,
                                         const tpm12::CommandView* wrapped);

struct Lookup {
  Resource* usable = nullptr;  // a session or key that the context may use now
  Resource* lost = nullptr;    // nothing brings it back: that, or the key of the session
};
Lookup look_up(const State& state, ContextId context, Kind kind, exec::VirtualHandle handle);

// Whether everybody may use the handle as it is.
bool is_shared_key(const State& state, exec::VirtualHandle handle);

}  // namespace tbs::rm12
