#pragma once

// Where everything is in the memory of a journal. It never leaves the machine, so numbers are in
// the processor's own byte order; the magic number differs where that differs.
//
//   header | half 0 | half 1
//
// One of the halves counts: its first bytes, up to the committed length, are entries without gaps.
// An entry is its head, its payload, and zeros up to the next multiple of 8. The first entry of a
// half is its heading: format u32, length of the build's name u32, that name, the TPM's name. It is
// in the half, not in the header, so that a new daemon's heading comes to count together with its
// entries.
//
// Which half counts and how much of it is one word, so one store changes both.

#include <cstddef>
#include <cstdint>
#include <span>

namespace tbs::restart {

constexpr std::uint64_t kJournalMagic = 0x31'4c'4e'4a'53'42'54'00;  // "\0TBSJNL1"
constexpr std::uint32_t kJournalLayout = 1;

struct JournalHeader {
  std::uint64_t magic;
  std::uint32_t layout;
  std::uint32_t reserved;  // 0
  std::uint64_t size;      // of the whole memory
  std::uint64_t committed;
};
static_assert(sizeof(JournalHeader) == 32);

struct EntryHead {
  std::uint32_t size;  // of the payload
  std::uint16_t kind;
  std::uint16_t reserved;  // 0
};
static_assert(sizeof(EntryHead) == 8);

struct HeadingHead {
  std::uint32_t format;
  std::uint32_t build_size;
};
static_assert(sizeof(HeadingHead) == 8);

// No other entry has this kind, so zeros are never taken for entries.
constexpr std::uint16_t kHeadingKind = 0;

constexpr std::size_t kJournalAlignment = 8;
constexpr std::size_t kHalvesStart = 64;
// So that the size of every payload fits its field.
constexpr std::uint64_t kMostJournalMemory = std::uint64_t{1} << 32;

// The committed word: a length, of which the alignment leaves three bits.
constexpr std::uint64_t kHalfBit = 1;
constexpr std::uint64_t kGivenUpBit = 2;
constexpr std::uint64_t kLengthMask = ~std::uint64_t{kJournalAlignment - 1};

// A half and how much of it counts.
struct JournalPosition {
  unsigned half = 0;
  std::size_t length = 0;
};

// What a payload takes in the memory.
constexpr std::size_t padded(std::size_t size) {
  return (size + kJournalAlignment - 1) / kJournalAlignment * kJournalAlignment;
}

constexpr std::size_t half_size(std::size_t memory_size) {
  return memory_size < kHalvesStart
             ? 0
             : (memory_size - kHalvesStart) / 2 / kJournalAlignment * kJournalAlignment;
}

// `memory` must have room for the header.
template <typename Byte>
std::span<Byte> half_of(std::span<Byte> memory, unsigned half) {
  const std::size_t size = half_size(memory.size());
  return memory.subspan(kHalvesStart + half * size, size);
}

}  // namespace tbs::restart
