#pragma once

// Comparing the tables with what the TPM lists.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/rm12/state.h"

namespace tbs::rm12 {

// The TPM's lists of handles; empty where it does not tell.
struct HandleLists {
  using List = std::optional<std::vector<exec::PhysicalHandle>>;
  using Counts = std::optional<std::vector<std::uint32_t>>;

  List keys;
  List auths;
  List transports;
  List daas;
  Counts saved_sessions;  // their entries in the TPM's list, which are no handles

  List& of(Kind kind);
  [[nodiscard]] const List& of(Kind kind) const;
};

struct Losses {
  std::size_t keys = 0;
  std::size_t sessions = 0;
};

// What the tables believe to be in the TPM and the TPM does not list is evicted, or given up where
// nothing can bring it back.
Losses drop_missing(State& state, const HandleLists& found);

// What the TPM lists and the tables do not know becomes stray. `saved` says whether that goes for
// saved sessions too.
void find_strays(State& state, const HandleLists& found, bool saved);

// Whatever was loaded may be gone or changed: what was not saved is given up.
Losses drop_loaded(State& state);

// What is wrong with the tables, in words; empty when they agree with the lists.
std::string difference(const State& state, const HandleLists& found);

}  // namespace tbs::rm12
