#pragma once

// Waiting for something that another process does: looks again every few milliseconds until it is
// so or the deadline has passed. The deadline guards against hanging and says nothing about speed.

#include <chrono>
#include <thread>

namespace tbs::test {

// Long enough for an overloaded machine and a daemon under the sanitizers.
inline constexpr std::chrono::seconds kPatience{60};

template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace tbs::test
