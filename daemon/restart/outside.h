#pragma once

// What the engine asks while it works on an input and cannot be told again later: what time it is,
// and what the rules say, which may be others by then. The answers are recorded with the input, and
// given from the record when the input is told again. Between inputs it just asks.
//
// Within one input the time stands still: a clock is read once.

#include <cstdint>
#include <functional>
#include <optional>

#include "daemon/base/clock.h"
#include "daemon/base/machine_time.h"
#include "daemon/base/record.h"
#include "daemon/policy/ownership_guard.h"

namespace tbs::restart {

class Outside final : public policy::OwnershipGuard::Judge {
 public:
  struct Clocks {
    std::function<TimePoint()> steady;
    std::function<MachineTime()> machine;
  };

  explicit Outside(Clocks clocks) : clocks_(std::move(clocks)) {}

  // For exec::Options, and for the guards.
  TimePoint steady();
  MachineTime machine();
  // Who knows the rules; it must outlive this. Without it nothing is blocked.
  void set_judge(Judge& judge) { judge_ = &judge; }
  std::optional<proto::Buffer> judge(const ClientCommand& command) override;

  // Whether what happens has happened before: nobody is to be told of it again.
  [[nodiscard]] bool replaying() const { return replayed_ != nullptr; }

  // An input begins, whose answers are written there, or are there; and it ends.
  void record(RecordWriter& answers);
  void replay(RecordReader& answers);
  void end();

 private:
  enum class Asked : std::uint8_t { Steady = 1, Machine = 2, Verdict = 3 };

  template <typename Answer, typename Ask>
  Answer answer(Asked asked, const Ask& ask);

  Clocks clocks_;
  Judge* judge_ = nullptr;
  RecordWriter* recorded_ = nullptr;
  RecordReader* replayed_ = nullptr;
  std::optional<TimePoint> steady_;
  std::optional<MachineTime> machine_;
};

}  // namespace tbs::restart
