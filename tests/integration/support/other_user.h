#pragma once

// Runs a part of a test as a user without rights, in a process of its own. That takes root.

#include <functional>

#include <sys/types.h>

namespace tbs::test {

inline constexpr uid_t kNobody = 65534;

// Whether this test may become another user; says so in the test's output when not.
bool can_become_nobody();

// Runs `part` as nobody and returns what it returned, or -1 when it threw or crashed.
int as_nobody(const std::function<int()>& part);

// While it lives, what this process connects to sees this user. That takes root as well.
class ConnectingAs {
 public:
  explicit ConnectingAs(uid_t user);
  ~ConnectingAs();
  ConnectingAs(const ConnectingAs&) = delete;
  ConnectingAs& operator=(const ConnectingAs&) = delete;
};

}  // namespace tbs::test
