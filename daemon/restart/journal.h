#pragma once

// A record in memory that outlives the process that writes it. A process can be killed between any
// two instructions, so the rule is: what counts changes by one store of one word and in no other
// way. A successor (journal_reader.h) always finds what was committed last, whole, and nothing of
// what came after it.
//
//   journal.append(kind, payload);     as often as wanted
//   journal.commit();                  all of it counts now
//
//   journal.compact();                 from here on the other half is written,
//   journal.append(kind, payload);     with everything that is still true,
//   journal.commit();                  and takes the first one's place
//
// There is one writer, on one thread. The memory must hold what was stored when the process is
// gone: a shared mapping of a memfd (state_memory.h). It is not made for the loss of power, nor
// against a process that writes where it should not.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

#include "daemon/restart/journal_layout.h"
#include "daemon/restart/journal_reader.h"
#include "proto/byte_reader.h"

namespace tbs::restart {

class Journal {
 public:
  ~Journal() = default;
  Journal(Journal&&) = default;
  Journal& operator=(Journal&&) = default;
  // There is one writer.
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Makes the memory a journal with a heading and no entries; what was in it is gone. Until that is
  // done, a reader finds it empty.
  static std::expected<Journal, std::string> begin(std::span<std::uint8_t> memory,
                                                   JournalHeading heading);
  // Goes on behind what read_journal() found in the same memory. `heading` is that of the next
  // compaction; until then the predecessor's stays.
  static Journal resume(std::span<std::uint8_t> memory, JournalPosition position,
                        JournalHeading heading);

  // Kinds are its owner's, from 1 on.
  void append(std::uint16_t kind, proto::Bytes payload) { append(kind, {payload}); }
  // The parts one behind the other.
  void append(std::uint16_t kind, std::initializer_list<proto::Bytes> parts);
  // False when not all of it had room: from then on the journal counts as given up, until a
  // compaction that has room is committed.
  [[nodiscard]] bool commit();
  // Forgets what is not committed, and has the next entries written into the other half.
  void compact();

  // Whether something was appended that had no room. Before the commit, compact() can still help.
  [[nodiscard]] bool full() const { return full_; }
  // Bytes of the half that is being written, heading and all.
  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] std::size_t capacity() const { return half_size(memory_.size()); }
  // The half that nobody needs until the next compaction: its pages may be given back. Nothing
  // between compact() and the commit.
  [[nodiscard]] std::span<std::uint8_t> unused() const;

 private:
  Journal(std::span<std::uint8_t> memory, JournalHeading heading)
      : memory_(memory), heading_(std::move(heading)) {}

  void append_heading();
  void publish(std::uint64_t committed);
  [[nodiscard]] unsigned committed_half() const { return (committed_ & kHalfBit) != 0 ? 1 : 0; }

  std::span<std::uint8_t> memory_;
  JournalHeading heading_;
  std::uint64_t committed_ = 0;  // as in the header
  unsigned half_ = 0;            // the one that is being written
  std::size_t used_ = 0;         // of it
  bool full_ = false;
};

}  // namespace tbs::restart
