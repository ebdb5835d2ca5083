#pragma once

// What has happened lately, for whoever asks over the socket (docs/events.md). A bounded number is
// kept: the oldest go first. Who may see what is for the one who asks it to decide.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "daemon/host/audit.h"

namespace tbs::server {

struct PastEvent {
  std::uint64_t number = 0;
  proto::Event event = proto::Event::Refused;
  spdlog::level::level_enum level = spdlog::level::info;
  host::AuditFields fields;
  std::string text;
};

class EventHistory {
 public:
  explicit EventHistory(std::size_t most = 1024) : most_(most) {}

  // `microseconds` since 1970. It gets the number that is nearest to it and above all others, also
  // when the clock was set back.
  void add(std::uint64_t microseconds, PastEvent event);
  // Called after each; it may not add another one from within.
  void on_added(std::function<void()> added) { added_ = std::move(added); }

  [[nodiscard]] const std::deque<PastEvent>& events() const { return events_; }
  // Whether some after this one are no longer kept. 0 stands for the oldest there is.
  [[nodiscard]] bool lost_after(std::uint64_t number) const {
    return number != 0 && number < newest_lost_;
  }

 private:
  std::size_t most_;
  std::deque<PastEvent> events_;
  std::uint64_t newest_ = 0;
  std::uint64_t newest_lost_ = 0;
  std::function<void()> added_ = [] {};
};

}  // namespace tbs::server
