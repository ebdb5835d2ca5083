#pragma once

// The chance of a run: all of it follows from the seed, and is the same on every machine. The
// distributions of the standard library are not.

#include <cstddef>
#include <cstdint>
#include <span>

namespace tbs::sim {

// splitmix64.
constexpr std::uint64_t mixed(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

// FNV-1a, with one more mixing at the end.
constexpr std::uint64_t digest_of(std::uint64_t start, std::span<const std::uint8_t> bytes) {
  std::uint64_t state = 0xCBF29CE484222325 ^ start;
  for (const std::uint8_t byte : bytes) state = (state ^ byte) * 0x100000001B3;
  return mixed(state);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mixed(seed)) {}

  // Another stream, which does not change when this one is asked more often.
  [[nodiscard]] Random fork(std::uint64_t name) const { return Random(state_ ^ mixed(name)); }

  std::uint64_t next() { return mixed(state_ += 0xD1342543DE82EF95); }
  // Below `count`, which is not 0.
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + below(most - least + 1);
  }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace tbs::sim
