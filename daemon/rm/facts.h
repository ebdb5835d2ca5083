#pragma once

// What the resource manager knows about the TPM: learnt when it is brought up, corrected by what
// it answers.

#include <algorithm>
#include <cstdint>
#include <optional>

namespace tbs::rm {

// TPM2_ReadClock: tells a reset from a restart from neither.
struct ResetCounts {
  std::uint32_t resets = 0;
  std::uint32_t restarts = 0;
  bool operator==(const ResetCounts&) const = default;

  template <typename Record>
  void fields(Record& record) {
    record(resets, restarts);
  }
};

struct Facts {
  // TPM_PT_HR_TRANSIENT_MIN and TPM_PT_HR_LOADED_MIN: what the TPM guarantees.
  std::size_t guaranteed_objects = 3;
  std::size_t guaranteed_sessions = 3;
  // What fits according to experience.
  std::size_t object_slots = 3;
  std::size_t session_slots = 3;
  std::size_t active_sessions = 64;
  std::uint64_t context_gap = 255;
  std::size_t max_command_size = 4096;
  // Whether a persistent object takes a slot while a command uses it. Found out by trying.
  bool persistent_takes_slot = false;
  std::optional<ResetCounts> counts;

  // The TPM had no room for one more besides `loaded` objects.
  void shrink_objects(std::size_t loaded) {
    object_slots = std::max(guaranteed_objects, std::min(loaded, object_slots));
  }
  void shrink_sessions(std::size_t loaded) {
    session_slots = std::max(guaranteed_sessions, std::min(loaded, session_slots));
  }

  template <typename Record>
  void fields(Record& record) {
    record(guaranteed_objects, guaranteed_sessions, object_slots, session_slots, active_sessions,
           context_gap, max_command_size, persistent_takes_slot, counts);
  }
};

}  // namespace tbs::rm
