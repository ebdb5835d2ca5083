#include "daemon/restart/journal.h"

#include <cstring>
#include <utility>

#include "daemon/base/ordered_store.h"

namespace tbs::restart {
namespace {

void store(std::span<std::uint8_t> memory, std::size_t offset, std::uint64_t value) {
  void* const word = memory.data() + offset;
  store_in_order(*static_cast<std::uint64_t*>(word), value);
}

template <typename Value>
proto::Bytes bytes_of(const Value& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)};
}

proto::Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::expected<Journal, std::string> Journal::begin(std::span<std::uint8_t> memory,
                                                   JournalHeading heading) {
  if (reinterpret_cast<std::uintptr_t>(memory.data()) % kJournalAlignment != 0) {
    return std::unexpected("the memory for the journal is not aligned");
  }
  // Never too large where it is a number of 32 bits, which compilers warn of.
  const std::uint64_t size = memory.size();
  if (size < kHalvesStart || size > kMostJournalMemory) {
    return std::unexpected("a journal cannot have " + std::to_string(size) + " bytes of memory");
  }
  store(memory, offsetof(JournalHeader, magic), 0);
  Journal journal(memory, std::move(heading));
  const JournalHeader header{
      .magic = 0, .layout = kJournalLayout, .reserved = 0, .size = memory.size(), .committed = 0};
  std::memcpy(memory.data(), &header, sizeof(header));
  journal.append_heading();
  if (!journal.commit()) return std::unexpected("the memory for the journal is too small");
  store(memory, offsetof(JournalHeader, magic), kJournalMagic);
  return journal;
}

Journal Journal::resume(std::span<std::uint8_t> memory, JournalPosition position,
                        JournalHeading heading) {
  Journal journal(memory, std::move(heading));
  journal.committed_ = position.length | position.half;
  journal.half_ = position.half;
  journal.used_ = position.length;
  return journal;
}

void Journal::append(std::uint16_t kind, std::initializer_list<proto::Bytes> parts) {
  std::size_t size = 0;
  for (const proto::Bytes part : parts) size += part.size();
  const std::size_t room = capacity() - used_;
  // All are multiples of the alignment, so the padding has room when the payload has.
  if (full_ || room < sizeof(EntryHead) || size > room - sizeof(EntryHead)) {
    full_ = true;
    return;
  }
  std::uint8_t* to = half_of(memory_, half_).data() + used_;
  used_ += sizeof(EntryHead) + padded(size);
  // The padding is in the last word: zeros first, and then what there is of the payload.
  std::memset(to + sizeof(EntryHead) + padded(size) - kJournalAlignment, 0, kJournalAlignment);
  const EntryHead head{.size = static_cast<std::uint32_t>(size), .kind = kind, .reserved = 0};
  std::memcpy(to, &head, sizeof(head));
  to += sizeof(head);
  for (const proto::Bytes part : parts) {
    if (part.empty()) continue;
    std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
}

bool Journal::commit() {
  if (full_) {
    publish(committed_ | kGivenUpBit);
  } else {
    publish(used_ | half_);
  }
  return !full_;
}

void Journal::compact() {
  half_ = committed_half() ^ 1U;
  used_ = 0;
  full_ = false;
  append_heading();
}

std::span<std::uint8_t> Journal::unused() const {
  if (half_ != committed_half()) return {};
  return half_of(memory_, half_ ^ 1U);
}

void Journal::append_heading() {
  const HeadingHead head{.format = heading_.format,
                         .build_size = static_cast<std::uint32_t>(heading_.build.size())};
  append(kHeadingKind, {bytes_of(head), bytes_of(heading_.build), bytes_of(heading_.tpm)});
}

void Journal::publish(std::uint64_t committed) {
  committed_ = committed;
  store(memory_, offsetof(JournalHeader, committed), committed);
}

}  // namespace tbs::restart
