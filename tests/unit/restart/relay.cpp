#include "tests/unit/restart/relay.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "daemon/restart/journal_reader.h"

namespace tbs::test {
namespace {

using namespace tbs::restart;
using Direction = SocketTransfer::Direction;

constexpr std::size_t kBufferPlace = 1024;
constexpr std::size_t kJournalPlace = 4096;
// So small that every few transfers need a compaction.
constexpr std::size_t kJournalSize = 1024;
constexpr std::uint16_t kBooksKind = 1;
const JournalHeading kHeading{.format = 1, .build = "", .tpm = ""};

void require(bool condition) {
  if (!condition) std::abort();
}

template <typename Value, typename Error>
Value required(std::expected<Value, Error> value) {
  require(value.has_value());
  return *std::move(value);
}

std::span<std::uint8_t> journal_memory(StateMemory& memory) {
  return memory.bytes().subspan(kJournalPlace, kJournalSize);
}

Relay::Books newest(JournalEntries entries) {
  Relay::Books books;
  while (const auto entry = entries.next()) {
    require(entry->kind == kBooksKind && entry->payload.size() == sizeof(books));
    std::memcpy(&books, entry->payload.data(), sizeof(books));
  }
  return books;
}

Direction next_of(const Relay::Books& books) {
  return books.begin == books.end ? Direction::Receive : Direction::Send;
}

void count(Relay::Books& books, std::uint64_t number, std::size_t bytes) {
  if (next_of(books) == Direction::Receive) {
    books.begin = 0;
    books.end = bytes;
    books.received += bytes;
  } else {
    books.begin += bytes;
    books.sent += bytes;
  }
  books.number = number;
}

// The books with what was done after they were kept last.
Relay::Books completed(Relay::Books books, const SocketTransfer& transfer) {
  const auto unfinished = required(transfer.unfinished(books.number));
  if (!unfinished) return books;
  require(unfinished->direction == next_of(books));
  require(unfinished->who == static_cast<std::uint64_t>(next_of(books)));
  count(books, unfinished->number, unfinished->bytes);
  return books;
}

Journal journal_in(StateMemory& memory) {
  const auto contents = read_journal(journal_memory(memory), kHeading.format);
  if (contents) return Journal::resume(journal_memory(memory), contents->position, kHeading);
  require(contents.error().fault == JournalFault::Empty);
  return required(Journal::begin(journal_memory(memory), kHeading));
}

}  // namespace

Relay::Relay(StateMemory& memory, int from, int to)
    : from_(from),
      to_(to),
      buffer_(memory.bytes().subspan(kBufferPlace, kBuffer)),
      transfer_(required(SocketTransfer::open(memory, 0))),
      journal_(journal_in(memory)),
      books_(seen(memory)) {
  record();
}

Direction Relay::next() const {
  return next_of(books_);
}

bool Relay::turn() {
  const auto who = static_cast<std::uint64_t>(next());
  const auto moved =
      next() == Direction::Receive
          ? transfer_.receive(from_, who, buffer_)
          : transfer_.send(to_, who, buffer_.subspan(books_.begin, books_.end - books_.begin));
  if (!moved) {
    require(moved.error() == EAGAIN);
    return false;
  }
  require(moved->bytes > 0);
  count(books_, moved->number, moved->bytes);
  record();
  return true;
}

Relay::Books Relay::seen(StateMemory& memory) {
  const auto contents = read_journal(journal_memory(memory), kHeading.format);
  if (!contents) {
    require(contents.error().fault == JournalFault::Empty);
    return {};
  }
  return completed(newest(contents->entries), required(SocketTransfer::open(memory, 0)));
}

void Relay::record() {
  if (journal_.capacity() - journal_.used() < sizeof(EntryHead) + sizeof(Books)) {
    journal_.compact();
  }
  journal_.append(kBooksKind, {reinterpret_cast<const std::uint8_t*>(&books_), sizeof(books_)});
  require(journal_.commit());
}

}  // namespace tbs::test
