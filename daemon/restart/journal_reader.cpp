#include "daemon/restart/journal_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tbs::restart {
namespace {

// `bytes` must be long enough.
template <typename Value>
Value value_at(proto::Bytes bytes) {
  Value value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

std::unexpected<JournalError> fault(JournalFault fault, std::string reason) {
  return std::unexpected(JournalError{.fault = fault, .reason = std::move(reason)});
}

std::unexpected<JournalError> broken(const char* what) {
  return fault(JournalFault::Broken, what);
}

std::unexpected<JournalError> newer(const char* what, std::uint32_t found, std::uint32_t known) {
  return fault(JournalFault::Newer, std::string("its ") + what + " is " + std::to_string(found) +
                                        ", and this tbsd knows those up to " +
                                        std::to_string(known));
}

std::string text(proto::Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

std::expected<JournalPosition, JournalError> read_header(proto::Bytes memory) {
  if (memory.size() < kHalvesStart) return broken("its memory is too small");
  const auto header = value_at<JournalHeader>(memory);
  if (header.magic == 0) return fault(JournalFault::Empty, "nothing was recorded in it");
  if (header.magic != kJournalMagic) return broken("it is not a journal of tbsd");
  if (header.layout > kJournalLayout) return newer("layout", header.layout, kJournalLayout);
  if (header.layout == 0 || header.reserved != 0) return broken("its header is damaged");
  if (header.size != memory.size()) return broken("its memory has another size than it says");
  const std::uint64_t flags = header.committed & ~kLengthMask;
  const std::uint64_t length = header.committed & kLengthMask;
  if ((flags & ~(kHalfBit | kGivenUpBit)) != 0) return broken("its header is damaged");
  if (length > half_size(memory.size())) return broken("it says that it is longer than its memory");
  if ((flags & kGivenUpBit) != 0) {
    return fault(JournalFault::GivenUp, "its memory was full, so not everything is in it");
  }
  return JournalPosition{.half = (flags & kHalfBit) != 0 ? 1U : 0U,
                         .length = static_cast<std::size_t>(length)};
}

std::optional<JournalHeading> read_heading(const JournalEntry& entry) {
  if (entry.kind != kHeadingKind || entry.payload.size() < sizeof(HeadingHead)) return {};
  const auto head = value_at<HeadingHead>(entry.payload);
  const proto::Bytes names = entry.payload.subspan(sizeof(HeadingHead));
  if (head.build_size > names.size()) return {};
  return JournalHeading{.format = head.format,
                        .build = text(names.first(head.build_size)),
                        .tpm = text(names.subspan(head.build_size))};
}

// Those behind the heading, to the last one.
bool are_sound(JournalEntries entries) {
  while (const auto entry = entries.next()) {
    if (entry->kind == kHeadingKind) return false;
  }
  return entries.at_end();
}

}  // namespace

std::optional<JournalEntry> JournalEntries::next() {
  if (rest_.size() < sizeof(EntryHead)) return {};
  const auto head = value_at<EntryHead>(rest_);
  const proto::Bytes body = rest_.subspan(sizeof(EntryHead));
  if (head.reserved != 0 || head.size > body.size()) return {};
  const std::size_t whole = padded(head.size);
  if (whole > body.size()) return {};
  const proto::Bytes padding = body.subspan(head.size, whole - head.size);
  if (!std::ranges::all_of(padding, [](std::uint8_t byte) { return byte == 0; })) return {};
  rest_ = body.subspan(whole);
  return JournalEntry{.kind = head.kind, .payload = body.first(head.size)};
}

std::expected<JournalContents, JournalError> read_journal(proto::Bytes memory,
                                                          std::uint32_t newest_format) {
  const auto position = read_header(memory);
  if (!position) return std::unexpected(position.error());
  JournalEntries entries(half_of(memory, position->half).first(position->length));
  const auto first = entries.next();
  auto heading = first ? read_heading(*first) : std::nullopt;
  if (!heading) return broken("its heading is damaged");
  if (heading->format > newest_format) return newer("format", heading->format, newest_format);

  if (!are_sound(entries)) return broken("one of its entries is damaged");
  return JournalContents{.heading = *std::move(heading), .entries = entries, .position = *position};
}

}  // namespace tbs::restart
