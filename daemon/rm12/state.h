#pragma once

// Everything that outlives an execution: the tables, what is known of the TPM, and what both
// families keep (daemon/exec/manager_state.h).

#include <algorithm>
#include <cstdint>
#include <vector>

#include "daemon/exec/manager_state.h"
#include "daemon/rm12/resource_table.h"
#include "daemon/rm12/saved_keys.h"

namespace tbs::rm12 {

// What is in the TPM but belongs to nobody any more.
struct Stray {
  Kind kind = Kind::Key;
  exec::PhysicalHandle handle{};
  // A session that is saved has no handle but an entry in the TPM's list.
  bool saved = false;
  std::uint32_t count = 0;
  tpm12::KeyIdentity identity = tpm12::kUnknownKey;

  bool operator==(const Stray&) const = default;

  template <typename Record>
  void fields(Record& record) {
    record_kind(record, kind);
    record(handle, saved, count, identity);
  }
};

// How many of a kind fit, at the same time.
struct Slots {
  std::size_t advertised = 2;  // by the TPM, with nothing loaded
  std::size_t known = 2;       // by experience

  void set(std::size_t slots) { advertised = known = std::max<std::size_t>(slots, 1); }
  // There was no room besides `loaded` ones.
  void shrink(std::size_t loaded) { known = std::max<std::size_t>(1, std::min(loaded, known)); }
  void restore() { known = advertised; }

  template <typename Record>
  void fields(Record& record) {
    record(advertised, known);
  }
};

struct Facts {
  // The least that Part 3 allows a TPM 1.2 to have.
  Slots keys{.advertised = 2, .known = 2};
  Slots auths{.advertised = 3, .known = 3};
  Slots transports{.advertised = 1, .known = 1};
  // Between the oldest and the newest saved session.
  std::uint32_t context_distance = 65535;

  Slots& slots(Kind kind) {
    if (kind == Kind::Key) return keys;
    return kind == Kind::Transport ? transports : auths;
  }

  template <typename Record>
  void fields(Record& record) {
    record(keys, auths, transports, context_distance);
  }
};

struct State : exec::ManagerState {
  using ManagerState::ManagerState;

  Facts facts;

  ResourceTable table;
  SavedKeys saved_keys;
  std::vector<Stray> strays;
  // The newest entry that the TPM was seen to make in its list of saved sessions.
  std::uint32_t newest_count = 0;

  [[nodiscard]] std::size_t in_tpm(Kind kind) const {
    return table.loaded_count(kind) +
           static_cast<std::size_t>(std::ranges::count_if(
               strays, [kind](const Stray& stray) { return stray.kind == kind && !stray.saved; }));
  }
};

}  // namespace tbs::rm12
