#pragma once

// Memory that is left when the process is gone, as long as somebody has its descriptor: a memfd,
// which the service manager can keep (FDSTORE=1, sd_notify(3)) and give to the next process.
//
// Its size is sealed (F_SEAL_GROW, F_SEAL_SHRINK, F_SEAL_SEAL, fcntl(2)), so nobody who has the
// descriptor can cut pages away, which would end the daemon with SIGBUS. It is sparse: a page takes
// memory when it is written first, and not before. When the machine has none then, that too is
// SIGBUS or the OOM killer; reserve() takes it beforehand, and then it is an error.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

namespace tbs::restart {

class StateMemory {
 public:
  struct Sizes {
    std::size_t least;
    std::size_t most;
  };

  // New memory of zeros, rounded up to whole pages. `name` is shown in /proc/PID/maps.
  static std::expected<StateMemory, std::string> create(const char* name, std::size_t size);
  // Maps what a predecessor has left. The descriptor is refused, and closed, unless it is a memfd
  // with those seals and may be written. It is made close-on-exec.
  static std::expected<StateMemory, std::string> adopt(int descriptor, Sizes sizes);

  ~StateMemory();
  StateMemory(StateMemory&& other) noexcept;
  StateMemory& operator=(StateMemory&& other) noexcept;
  StateMemory(const StateMemory&) = delete;
  StateMemory& operator=(const StateMemory&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::span<std::uint8_t> bytes() const { return bytes_; }

  // The functions below take a part of bytes().

  // Has the part's pages made now. What is in them stays.
  std::expected<void, std::string> reserve(std::span<std::uint8_t> part);
  // Has them made and kept in memory (mlock(2)), so that the kernel meets no page fault there when
  // it writes. False when they may be swapped out: too little of RLIMIT_MEMLOCK is left.
  std::expected<bool, std::string> pin(std::span<std::uint8_t> part);
  // Gives the part's whole pages back to the machine (MADV_REMOVE, madvise(2)): they read as zeros.
  // Its bytes in pages that other parts share stay. Failing costs memory and nothing else.
  void give_back(std::span<std::uint8_t> part);

 private:
  explicit StateMemory(int descriptor) : descriptor_(descriptor) {}
  std::expected<void, std::string> map(std::size_t size);
  [[nodiscard]] std::size_t offset_of(std::span<std::uint8_t> part) const;

  int descriptor_;
  std::span<std::uint8_t> bytes_;
};

}  // namespace tbs::restart
