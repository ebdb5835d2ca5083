#pragma once

// What the entries of a service's record mean. The numbers stand in the memory: they are never
// given to something else. Inputs of the engine (input_log.h) have theirs above kFirstInput.

#include <cstdint>

namespace tbs::restart {

enum class EntryKind : std::uint16_t {
  // Where a compaction begins.
  EngineState = 1,  // the state that the inputs behind it are told to
  Context = 2,      // u64: one that the engine has
  // The command that goes to the device has this number: u64.
  Sending = 3,
  // Of clients: u64 its number, then
  Connected = 4,    // who it is
  Opened = 5,       // what its hello led to
  Received = 6,     // u64 number of the transfer, the bytes
  Handled = 7,      // u64 how many of them were a frame
  Queued = 8,       // frames
  Sent = 9,         // u64 number of the transfer, u64 how many bytes
  Gone = 10,        //
  Unanswered = 11,  // u64 order, the frame
  Unsent = 12,      // bytes
  // The last one that is done: u64.
  Transfer = 13,
  // Who has had how much of the TPM's time, in the scheduler's words.
  Credit = 14,
  // Of clients, since the first: u64.
  LastClient = 15,
  // What ended before this entry was answered, and the answer is recorded: empty.
  Settled = 16,
  // Who has the TPM alone, in the server's words; nothing when nobody does any longer.
  HandedOver = 17,
};

inline constexpr std::uint16_t kFirstInput = 0x100;
inline constexpr std::uint32_t kRecordFormat = 1;

}  // namespace tbs::restart
