#pragma once

// Every bound of the wire in one place, with the reason for each number.

#include <cstddef>
#include <cstdint>

namespace tbs::proto {

// The newest version of the protocol, and the oldest that is understood. A hello names the range a
// client speaks.
inline constexpr std::uint16_t kProtocolVersion = 2;
inline constexpr std::uint16_t kOldestVersion = 1;
// Since when a daemon can cancel one command of a context.
inline constexpr std::uint16_t kCancelCommandVersion = 2;

// Of the frame header, the same in both.
inline constexpr std::uint16_t kFrameVersion = 1;

// Version, type, payload length, request id.
inline constexpr std::size_t kFrameHeaderSize = 16;

// Every TPM command and response starts with tag, size and code (TPM 2.0 Library Part 1,
// "Command/Response Structure"; the same in TPM 1.2).
inline constexpr std::size_t kTpmHeaderSize = 10;

// Largest TPM command or response that is carried. Devices take 4096 bytes today (the kernel's
// TPM_BUFSIZE and libtpms alike), real chips less; four times that leaves room for TPMs with larger
// keys and still bounds what one frame can make the daemon buffer.
inline constexpr std::size_t kMaxTpmMessage = 16384;

// Commands one context may have outstanding. libtbs holds further ones back on its own side.
inline constexpr std::uint16_t kWindow = 32;

// With more than its window a connection is not read from until one is answered. One more, so that
// a client that keeps to its window is always read from, and its cancel gets through.
inline constexpr std::size_t kMaxOutstanding = kWindow + 1;

// Answers a client leaves unread before the daemon stops reading from it. With the answers of the
// window still to come this bounds what one connection can hold to about 768 KiB.
inline constexpr std::size_t kMaxPendingOutput = std::size_t{256} * 1024;

// What proves that a process has inherited a context: too much to be guessed.
inline constexpr std::size_t kTokenSize = 16;

// A firmware update takes minutes; who forgets to end one has the TPM back the next day.
inline constexpr std::uint32_t kMostMaintenanceSeconds = 24 * 3600;

// Contexts in one page of a listing: it asks little of the loop, and fits one read of the client's
// buffer.
inline constexpr std::size_t kMaxContextsPerPage = 64;

// The event log travels in parts of this size, so that neither side needs room for more of it than
// it wants. Logs of real firmware have 20 KiB to 100 KiB.
inline constexpr std::uint32_t kMaxLogPart = 65536;

// A physical presence function and two arguments, and the longest answer: a version of four
// characters, or three integers.
inline constexpr std::uint32_t kMaxPresenceInput = 12;
inline constexpr std::uint32_t kMaxPresenceOutput = 64;

// An authorization value has the size of a digest; the largest there is has 64 bytes.
inline constexpr std::uint32_t kMaxOwnerAuth = 64;

// Objects and sessions in a list of what a context holds; more are only counted as more.
inline constexpr std::size_t kMaxHoldings = 1024;

// Most entries of a list of limits.
inline constexpr std::size_t kMaxLimits = 64;

// Most tenants that a daemon has.
inline constexpr std::size_t kMaxTenants = 256;

// The numbers of tenants begin here, in place of a uid.
inline constexpr std::uint32_t kFirstTenantNumber = 0x80000000;

// Events in one answer.
inline constexpr std::size_t kMaxEventsPerPage = 32;

// Bytes of what was captured in one answer; the largest command with the largest response fits.
inline constexpr std::uint32_t kMaxCapturePage = 65536;

// Most users in the answer about the lockout guard.
inline constexpr std::size_t kMaxLockoutEntries = 1024;

// Longest text field (device name, program name, reason of a refusal).
inline constexpr std::size_t kMaxText = 255;

}  // namespace tbs::proto
