#pragma once

// What a predecessor has left of a service: the entries of its record (service_record.h),
// understood.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "daemon/restart/input_log.h"
#include "daemon/restart/journal_reader.h"
#include "daemon/restart/record_progress.h"

namespace tbs::restart {

// State and inputs are in the journal's memory.
struct LeftRecord {
  proto::Bytes engine_state;
  std::vector<Input> inputs;
  // What ended with one of the first so many inputs was answered.
  std::size_t settled = 0;
  RecordProgress progress;

  // The order (KeptRequest) of the request whose command was under way with this input; 0 when it
  // is not known, because nobody waits for it.
  [[nodiscard]] std::uint64_t request_at(std::size_t input) const;

  // By the input with which the engine got the command.
  std::map<std::size_t, std::uint64_t> requests;
};

// The reason, when the entries make no sense: then nothing can be restored.
std::expected<LeftRecord, std::string> read_record(JournalEntries entries);

}  // namespace tbs::restart
