#pragma once

// What clients and the TPM say to each other, while somebody wants to know. A bounded number of
// bytes is kept: whoever reads too slowly loses the oldest, and delays nobody. When nobody asks any
// more, nothing is kept.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "daemon/base/clock.h"
#include "proto/byte_reader.h"
#include "proto/byte_writer.h"
#include "proto/captured_exchange.h"

namespace tbs::server {

class Capture {
 public:
  explicit Capture(std::size_t most_bytes = std::size_t{2} << 20U) : most_bytes_(most_bytes) {}

  // Whether exchanges are wanted at all: what is asked for each command.
  [[nodiscard]] bool running() const { return running_; }
  // Somebody asks, now. It runs from then on.
  void asked(TimePoint now);
  // Copies it; the number is given here. Ends the capture when nobody has asked for long enough.
  void add(const proto::CapturedExchange& exchange, TimePoint now);
  // Called after each.
  void on_added(std::function<void()> added) { added_ = std::move(added); }
  // While somebody waits it goes on.
  void set_waiting(bool waiting) { waiting_ = waiting; }

  struct Page {
    proto::Buffer exchanges;
    std::uint64_t last = 0;
    std::uint64_t lost = 0;
  };
  // Those after this number; `context` 0: of all.
  [[nodiscard]] Page page(std::uint64_t after, std::uint64_t context) const;
  // The number after which those from now on come; never 0.
  [[nodiscard]] std::uint64_t begin();

 private:
  struct Kept {
    std::uint64_t number = 0;
    std::uint64_t context = 0;
    proto::Buffer bytes;
  };

  void end();

  std::size_t most_bytes_;
  bool running_ = false;
  bool waiting_ = false;
  TimePoint last_asked_;
  std::uint64_t newest_ = 0;
  std::deque<Kept> kept_;
  std::size_t bytes_ = 0;
  std::function<void()> added_ = [] {};
};

}  // namespace tbs::server
