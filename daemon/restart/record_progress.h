#pragma once

// How far a service's record has come, the state of the engine aside. Who writes the record keeps
// it, to write everything anew; who reads it makes it from the entries.

#include <cstdint>
#include <expected>
#include <set>
#include <string>

#include "daemon/restart/input_log.h"
#include "daemon/restart/journal_reader.h"
#include "daemon/restart/kept_clients.h"

namespace tbs::restart {

struct RecordProgress {
  std::set<std::uint64_t> contexts;  // that the engine has
  std::uint64_t sending = 0;         // number of the command that went to the device last
  std::uint64_t transfer = 0;        // of the transfer that was recorded last
  proto::Buffer credit;              // of the scheduler; empty before the first time
  proto::Buffer handover;            // who has the TPM alone; empty when nobody does
  KeptClients clients;

  void told(const Input& input);
  // An entry that is none of the engine's.
  std::expected<void, std::string> follow(const JournalEntry& entry);
};

}  // namespace tbs::restart
