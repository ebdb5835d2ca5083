#pragma once

// What a command looks like and what it does to objects and sessions, by command code. The TPM
// itself says most of it (TPM2_GetCapability, TPM_CAP_COMMANDS: TPMA_CC), vendor commands
// included; a small static table adds what those attributes do not say or what some TPMs leave
// out. Source: TPM 2.0 Library, Part 2, "TPMA_CC".

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "proto/tpm/constants.h"

namespace tbs::tpm {

struct CommandInfo {
  std::uint32_t code = 0;
  // Number of handles in the command's handle area.
  std::uint8_t handles = 0;
  // Object slots that the command takes for itself while it runs, besides those of its handles
  // and of its result. A guess at first; the resource manager raises it when the TPM objects.
  std::uint8_t working_slots = 0;
  // The response begins with a handle: of an object, or of a session.
  bool returns_handle = false;
  // On success the transient objects of the handle area are gone.
  bool flushes_handles = false;
  // On success any number of loaded objects may be gone.
  bool extensive = false;

  template <typename Record>
  void fields(Record& record) {
    record(code, handles, working_slots, returns_handle, flushes_handles, extensive);
    if constexpr (Record::kReads) {
      record.require(handles <= kMaxHandles, "a command has more handles than any can have");
    }
  }
};

class CommandTable {
 public:
  // Replaces the table by what the TPM reports: one TPMA_CC per command that it implements.
  void load(std::span<const std::uint32_t> attributes);

  // Null when the TPM does not implement the command.
  [[nodiscard]] const CommandInfo* find(std::uint32_t code) const;
  // Notes that a command needs one working slot more than was thought.
  void raise_working_slots(std::uint32_t code);

  [[nodiscard]] bool empty() const { return rows_.empty(); }

  template <typename Record>
  void fields(Record& record) {
    record(rows_);
    if constexpr (Record::kReads) {
      const auto follows = [](const CommandInfo& one, const CommandInfo& next) {
        return one.code >= next.code;
      };
      record.require(std::ranges::adjacent_find(rows_, follows) == rows_.end(),
                     "the commands are not in their order");
    }
  }

 private:
  [[nodiscard]] std::size_t position(std::uint32_t code) const;

  std::vector<CommandInfo> rows_;  // sorted by code
};

}  // namespace tbs::tpm
