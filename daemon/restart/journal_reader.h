#pragma once

// Reads what a journal (journal.h) had committed when its daemon died. The memory comes from
// another process, so nothing in it is believed: no length leads outside of what was given, and all
// that counts has been looked at before the first entry is handed out.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "daemon/restart/journal_layout.h"
#include "proto/byte_reader.h"

namespace tbs::restart {

// Who wrote, and about what. The reader only compares the format.
struct JournalHeading {
  std::uint32_t format = 0;  // of what the entries mean, counted by those who write them
  std::string build;
  std::string tpm;
};

struct JournalEntry {
  std::uint16_t kind = 0;
  proto::Bytes payload;
};

// The entries, oldest first. Their payloads are in the journal's memory; they stay there until the
// writer fills that half again, which is after the second compaction from now.
class JournalEntries {
 public:
  JournalEntries() = default;
  explicit JournalEntries(proto::Bytes bytes) : rest_(bytes) {}

  // Nothing at the end, and at what is no entry.
  std::optional<JournalEntry> next();
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  proto::Bytes rest_;
};

struct JournalContents {
  JournalHeading heading;
  JournalEntries entries;
  // Where a writer goes on.
  JournalPosition position;
};

enum class JournalFault {
  Empty,    // nobody has written here yet
  GivenUp,  // the memory was full, so entries are missing
  Newer,    // of a format that this program does not know
  Broken,
};

struct JournalError {
  JournalFault fault = JournalFault::Broken;
  std::string reason;  // for the log, to be read behind "the kept state is not used: "
};

// `newest_format`: the newest that the caller understands.
std::expected<JournalContents, JournalError> read_journal(proto::Bytes memory,
                                                          std::uint32_t newest_format);

}  // namespace tbs::restart
