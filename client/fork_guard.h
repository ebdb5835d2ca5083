#pragma once

// What fork() means for this library. One lock covers the little that all contexts share: the list
// of descriptors, the table of handles, the chosen socket. fork() takes it, so that a child finds
// those whole whatever other threads were doing; then the child closes the descriptors and counts
// one generation more. Whatever was made in an earlier generation belongs to the parent, and its
// own locks may be held by threads that the child does not have: the child never touches it.

#include <cstdint>

namespace tbs::client {

// How many forks lie between this process and the one that loaded the library.
std::uint32_t fork_generation();

// Holds the lock; leaves errno as it is when it lets go. Never held while waiting for anything.
class LibraryLock {
 public:
  LibraryLock();
  ~LibraryLock();
  LibraryLock(const LibraryLock&) = delete;
  LibraryLock& operator=(const LibraryLock&) = delete;
};

}  // namespace tbs::client
