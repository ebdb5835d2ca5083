#pragma once

// How many commands may be at the daemon at once. It stops reading from a connection that has more
// outstanding, and a cancel would be stuck behind them; so what exceeds the window waits here, in
// the order in which it came.

#include "client/request.h"

namespace tbs::client {

class Window {
 public:
  explicit Window(unsigned size) : size_(std::max(size, 1U)) {}

  [[nodiscard]] unsigned size() const { return size_; }
  [[nodiscard]] const RequestList& held_back() const { return held_back_; }

  // Takes a place if one is free and nobody waits for it.
  [[nodiscard]] bool try_enter() {
    if (used_ == size_ || !held_back_.empty()) return false;
    ++used_;
    return true;
  }

  // Queues for a place.
  void hold_back(Request& request) {
    request.state = RequestState::HeldBack;
    held_back_.append(request);
  }

  // Gives a place back. The request that gets it, or null.
  Request* leave() {
    --used_;
    Request* const next = held_back_.take_first();
    if (next != nullptr) ++used_;
    return next;
  }

  // Takes one out of the queue that shall wait no longer; null when none waits.
  Request* give_up() { return held_back_.take_first(); }

 private:
  unsigned size_;
  unsigned used_ = 0;
  RequestList held_back_;
};

}  // namespace tbs::client
