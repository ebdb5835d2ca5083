#pragma once

// The machine and the event loop, as far as the server asks them.

#include <cstdint>
#include <functional>
#include <span>

#include "daemon/base/clock.h"

namespace tbs::server {

class Environment {
 public:
  virtual ~Environment() = default;

  [[nodiscard]] virtual TimePoint now() const = 0;
  [[nodiscard]] virtual bool memory_is_short() = 0;
  // Bytes that nobody can guess; false when there are none yet, early in the machine's start.
  [[nodiscard]] virtual bool fill_random(std::span<std::uint8_t> room) = 0;
  // Runs `work` later, from the loop, never from within this call.
  virtual void post(std::move_only_function<void()> work) = 0;
};

}  // namespace tbs::server
