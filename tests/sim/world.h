#pragma once

// What there is one of in a run: the clock, what is going to happen, the trace, and what was found
// to be wrong.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "proto/byte_reader.h"
#include "tests/sim/random.h"

namespace tbs::sim {

// In nanoseconds since the machine was started.
using Time = std::uint64_t;

inline constexpr Time kMicrosecond = 1'000;
inline constexpr Time kMillisecond = 1'000'000;
inline constexpr Time kSecond = 1'000'000'000;
inline constexpr Time kMinute = 60 * kSecond;
inline constexpr Time kHour = 60 * kMinute;

class World {
 public:
  using Call = std::move_only_function<void()>;

  explicit World(std::uint64_t seed) : random(seed) {}

  [[nodiscard]] Time now() const { return now_; }
  // Work takes time; nothing else happens meanwhile.
  void spend(Time time) { now_ += time; }
  void at(Time when, Call call) { events_.emplace(std::pair{when, ++last_}, std::move(call)); }
  void after(Time delay, Call call) { at(now_ + delay, std::move(call)); }
  // What is due now.
  void run_due() {
    while (!events_.empty() && events_.begin()->first.first <= now_) {
      Call call = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      call();
    }
  }
  [[nodiscard]] bool has_events() const { return !events_.empty(); }
  [[nodiscard]] Time next_event() const { return events_.begin()->first.first; }
  void sleep_until(Time when) {
    if (when > now_) now_ = when;
  }

  // What makes a run what it is. Two runs with the same digest were the same.
  void trace(std::string_view what, std::uint64_t who, proto::Bytes bytes);
  [[nodiscard]] std::uint64_t digest() const { return digest_; }
  bool verbose = false;

  // An invariant does not hold. The first one counts.
  void broken(std::string_view invariant, const std::string& how);
  [[nodiscard]] bool failed() const { return !invariant_.empty(); }
  [[nodiscard]] const std::string& invariant() const { return invariant_; }
  [[nodiscard]] const std::string& how() const { return how_; }
  [[nodiscard]] Time when() const { return when_; }

  Random random;

 private:
  Time now_ = kHour;
  std::uint64_t last_ = 0;
  std::map<std::pair<Time, std::uint64_t>, Call> events_;
  std::uint64_t digest_ = 0;
  std::string invariant_;
  std::string how_;
  Time when_ = 0;
};

}  // namespace tbs::sim
