// The memory that a killed daemon leaves. What the reader accepts must be written again to the same
// bytes, and a successor must be able to go on behind it.

#include "daemon/restart/journal.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "daemon/restart/journal_reader.h"

using namespace tbs;
using namespace tbs::restart;

namespace {

constexpr std::uint32_t kNewestFormat = 1000;

void require(bool condition) {
  if (!condition) std::abort();
}

void copy_entries(JournalEntries from, Journal& to) {
  while (const auto entry = from.next()) to.append(entry->kind, entry->payload);
  require(from.at_end());
}

bool same(proto::Bytes one, proto::Bytes other) {
  return std::ranges::equal(one, other);
}

// The bytes that say something: the header, and what counts of its half.
void require_same_when_written(proto::Bytes memory, const JournalContents& contents) {
  std::vector<std::uint8_t> copy(memory.size());
  auto journal = Journal::begin(copy, contents.heading);
  require(journal.has_value());
  if (contents.position.half == 1) journal->compact();
  copy_entries(contents.entries, *journal);
  require(journal->commit());
  const auto counts = [&](proto::Bytes bytes) {
    return half_of(bytes, contents.position.half).first(contents.position.length);
  };
  require(same(memory.first(sizeof(JournalHeader)), std::span(copy).first(sizeof(JournalHeader))));
  require(same(counts(memory), counts(copy)));
}

std::size_t count(JournalEntries entries) {
  std::size_t number = 0;
  while (entries.next()) ++number;
  return number;
}

void require_going_on(std::span<std::uint8_t> memory, const JournalContents& contents) {
  const std::size_t before = count(contents.entries);
  Journal journal = Journal::resume(memory, contents.position, contents.heading);
  journal.append(1, memory.first(5));
  const bool fitted = journal.commit();
  const auto after = read_journal(memory, kNewestFormat);
  require(after.has_value() == fitted);
  if (fitted) {
    require(count(after->entries) == before + 1);
  } else {
    require(after.error().fault == JournalFault::GivenUp);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> memory(data, data + size);
  const auto contents = read_journal(memory, kNewestFormat);
  if (!contents) {
    require(!contents.error().reason.empty());
    return 0;
  }
  require_same_when_written(memory, *contents);
  require_going_on(memory, *contents);
  return 0;
}
