#pragma once

// What the TPM is not ready for at the moment, by what it has said to commands: those that it would
// only refuse again are not worth its time.
//
// - TPM_RC_NV_RATE is about its flash and not about the command: nothing that writes to it is sent
//   until a pause is over, then one such command, and the others when that one was carried out.
// - Two clients in a row that were told to come later: perhaps it would tell everybody, and some
//   chips test themselves only while they are left alone. So nothing is sent for a moment.

#include <algorithm>
#include <chrono>
#include <optional>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/command/client_command.h"
#include "daemon/exec/execution.h"

namespace tbs::sched {

class Unready {
 public:
  // The TPM was not ready for this command.
  void refused(const ClientCommand& command, exec::Later what, TimePoint now);
  // It was, whatever it has answered.
  void taken(const ClientCommand& command);

  // Until when there is no use in sending this command, or any.
  [[nodiscard]] std::optional<TimePoint> until(const ClientCommand& command, TimePoint now) const;
  [[nodiscard]] std::optional<TimePoint> all_until(TimePoint now) const { return all_.until(now); }

 private:
  // Lasts as long again as it has lasted, up to a bound.
  class Hold {
   public:
    explicit Hold(Duration longest) : longest_(longest) {}
    void renew(TimePoint now) {
      if (!since_ || now > until_ + longest_) since_ = now;
      until_ = now + std::clamp<Duration>(now - *since_, kShortest, longest_);
    }
    void end() { since_.reset(); }
    [[nodiscard]] bool begun() const { return since_.has_value(); }
    [[nodiscard]] std::optional<TimePoint> until(TimePoint now) const {
      return since_ && now < until_ ? std::optional(until_) : std::nullopt;
    }

   private:
    static constexpr std::chrono::milliseconds kShortest{1};

    Duration longest_;
    std::optional<TimePoint> since_;
    TimePoint until_;
  };

  Hold nv_writes_{std::chrono::milliseconds(1000)};
  Hold all_{std::chrono::milliseconds(100)};
  std::optional<ContextId> last_;  // refused, and nothing was taken since
};

}  // namespace tbs::sched
