#pragma once

// What a context and a user may hold, and how the daemon behaves towards the other users of the
// chip. Every number can be configured: daemon/policy/limits.h says why
// the defaults are what they are.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"

namespace tbs::exec {

struct Limits {
  // Transient objects and sequences of one context. Clients that never flush leak into this.
  std::size_t objects_per_context = 64;
  // Of all contexts of a user: bounds memory (about 2 KiB for each), yet leaves room for a
  // thousand contexts of one service user with three keys each.
  std::size_t objects_per_user = 4096;
  // Active sessions, loaded or saved. A TPM has 64 for everybody.
  std::size_t sessions_per_context = 32;
  std::size_t sessions_per_user = 48;
  // Saved sessions whose context has closed and that another context of the user may still load.
  std::size_t orphans_per_user = 16;
  std::chrono::seconds orphan_lifetime = std::chrono::minutes(30);

  template <typename Record>
  void fields(Record& record) {
    record(objects_per_context, objects_per_user, sessions_per_context, sessions_per_user,
           orphans_per_user, orphan_lifetime);
  }
};

// When the daemon leaves the TPM's slots to the kernel's own users.
enum class Share : std::uint8_t {
  Idle,       // once the device has been idle for a while
  Strict,     // after each command
  Exclusive,  // never
  Spare,  // after each command, as many as the kernel itself needs at a time; the rest when idle
};

// What the kernel itself needs, for HMAC sessions or a trusted key: a parent that is persistent
// takes a slot on many TPMs, and what is loaded below it another one.
inline constexpr std::size_t kSpareObjects = 2;
inline constexpr std::size_t kSpareSessions = 1;

struct Options {
  Limits limits;
  // Of those accounts for which other numbers hold.
  std::map<AccountId, Limits> own_limits;
  Share share = Share::Idle;
  // Flush saved sessions that are found when the TPM is first brought up. They are leftovers of an
  // earlier run, unless a program uses the kernel's resource manager at that moment.
  bool remove_saved_sessions = true;
  // Compare the tables with what the TPM lists after every client command (for tests).
  bool verify = false;
  // The time that orphans age by.
  std::function<TimePoint()> now = [] { return TimePoint{}; };

  [[nodiscard]] const Limits& limits_of(AccountId account) const {
    const auto own = own_limits.find(account);
    return own == own_limits.end() ? limits : own->second;
  }

  // All but the clock.
  template <typename Record>
  void fields(Record& record) {
    record(limits, own_limits);
    record.choice(share, Share::Spare);
    record(remove_saved_sessions, verify);
  }
};

}  // namespace tbs::exec
