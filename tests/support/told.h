#pragma once

// What a resource manager has told, as text, and told on to somebody else.

#include <string>
#include <string_view>
#include <utility>

#include "daemon/exec/observer.h"

namespace tbs::test {

class Told final : public exec::Observer {
 public:
  // Null: nobody else is told.
  explicit Told(exec::Observer* on) : on_(on) {}

  void loaded_lost(exec::LossCause cause, std::size_t objects, std::size_t sessions) override {
    note("loaded lost", static_cast<unsigned>(cause), objects, sessions);
    if (on_ != nullptr) on_->loaded_lost(cause, objects, sessions);
  }
  void lost(UserId user, std::uint32_t handle, std::uint32_t code) override {
    note("lost", static_cast<std::uint64_t>(user), handle, code);
    if (on_ != nullptr) on_->lost(user, handle, code);
  }
  void session_dropped(UserId user, std::uint32_t handle, std::string_view reason) override {
    note(reason, static_cast<std::uint64_t>(user), handle, 0);
    if (on_ != nullptr) on_->session_dropped(user, handle, reason);
  }
  void lockout_learnt(const tpm::Lockout& lockout) override {
    note("lockout", lockout.counter, lockout.limit, lockout.clock);
    if (on_ != nullptr) on_->lockout_learnt(lockout);
  }
  void tables_differ(std::string_view difference) override {
    note(difference, 0, 0, 0);
    if (on_ != nullptr) on_->tables_differ(difference);
  }
  void older_state_loaded(std::uint32_t handle) override {
    note("older state", handle, 0, 0);
    if (on_ != nullptr) on_->older_state_loaded(handle);
  }

  std::string take() { return std::exchange(text_, {}); }

 private:
  void note(std::string_view what, std::uint64_t one, std::uint64_t two, std::uint64_t three) {
    text_ += std::string(what) + " " + std::to_string(one) + " " + std::to_string(two) + " " +
             std::to_string(three) + "\n";
  }

  exec::Observer* on_;
  std::string text_;
};

}  // namespace tbs::test
