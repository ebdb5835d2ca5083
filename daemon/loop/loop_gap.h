#pragma once

// How long the loop did not look at its descriptors, because it was at work: for as long nobody
// new was heard. Reading the clock costs, so a turn that comes after a sleep begins when somebody
// in it looks at the clock for a reason of his own, which whoever handles commands does at once.

#include <optional>

#include <boost/asio/io_context.hpp>

#include "daemon/base/clock.h"
#include "daemon/base/recent_peak.h"

namespace tbs::loop {

// One for each loop: the loop itself has it.
class LoopGap final : public boost::asio::io_context::service {
 public:
  static boost::asio::io_context::id id;

  explicit LoopGap(boost::asio::io_context& io) : boost::asio::io_context::service(io) {}
  static LoopGap& of(boost::asio::io_context& io) { return boost::asio::use_service<LoopGap>(io); }

  // Somebody in a turn has looked at the clock.
  void note(TimePoint now) {
    if (!begun_) begun_ = now;
  }
  [[nodiscard]] bool begun() const { return begun_.has_value(); }
  // The turn has ended; it must have begun.
  void end(TimePoint now) {
    peak_.see(now - *begun_, now);
    begun_.reset();
  }
  // A turn in which nothing was done.
  void forget() { begun_.reset(); }

  // The longest lately.
  [[nodiscard]] Duration longest(TimePoint now) const { return peak_.at(now); }

 private:
  void shutdown() override {}

  std::optional<TimePoint> begun_;
  RecentPeak peak_;
};

}  // namespace tbs::loop
