#pragma once

// What a resource manager tells an administrator, written down, and the users whose things it tells
// about.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/exec/observer.h"

namespace tbs::test {

inline constexpr Principal kAlice = principal_of(UserId{1000});
inline constexpr Principal kBob = principal_of(UserId{1001});

struct Notes final : exec::Observer {
  void loaded_lost(exec::LossCause cause, std::size_t objects, std::size_t sessions) override {
    ++restarts;
    resets += cause == exec::LossCause::Reset ? 1 : 0;
    objects_lost += objects;
    sessions_lost += sessions;
  }
  void lost(UserId, std::uint32_t handle, std::uint32_t) override {
    lost_handles.push_back(handle);
  }
  void session_dropped(UserId, std::uint32_t handle, std::string_view) override {
    dropped_sessions.push_back(handle);
  }
  void tables_differ(std::string_view difference) override { differences += difference; }
  void older_state_loaded(std::uint32_t handle) override { older_states.push_back(handle); }

  int restarts = 0;
  int resets = 0;
  std::size_t objects_lost = 0;
  std::size_t sessions_lost = 0;
  std::vector<std::uint32_t> lost_handles;
  std::vector<std::uint32_t> dropped_sessions;
  std::string differences;
  std::vector<std::uint32_t> older_states;
};

}  // namespace tbs::test
