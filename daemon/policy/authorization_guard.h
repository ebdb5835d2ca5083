#pragma once

// Asks the lockout guard about commands that bring an authorization: when they come, and again when
// the TPM is free for them, because others of the user may have failed in between. The TPM's answer
// counts even when nobody waits for it any more. Administrators are excepted.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/command/command_guard.h"
#include "daemon/policy/lockout_guard.h"

namespace tbs::policy {

class AuthorizationGuard final : public CommandGuard {
 public:
  // Seconds since 1970.
  using Clock = std::function<std::uint64_t()>;

  // What an administrator is told.
  class Observer {
   public:
    virtual ~Observer() = default;
    // The command was answered with the lockout code.
    virtual void held_back(const ClientCommand& command) = 0;
    // With the failure of this command its user is locked out.
    virtual void locked_out(const ClientCommand& command) = 0;
  };

  explicit AuthorizationGuard(Clock clock) : clock_(std::move(clock)) {}

  void set_limits(const LockoutLimits& limits) { guard_.set_limits(limits); }
  // What was known before; `changed` is given it anew whenever it changes.
  void restore(std::string_view known, std::function<void(std::string)> changed);
  // It must outlive the guard.
  void set_observer(Observer& observer) { observer_ = &observer; }
  void learn(const tpm::Lockout& lockout) { guard_.learn(lockout, clock_()); }

  [[nodiscard]] std::uint64_t now() const { return clock_(); }
  // See LockoutGuard.
  [[nodiscard]] LockoutLimits in_force() const { return guard_.in_force(); }
  [[nodiscard]] std::vector<LockoutGuard::Entry> entries() { return guard_.entries(clock_()); }
  // Forgets the failures of a user, or of all.
  void reset(std::optional<UserId> user);

  std::optional<proto::Buffer> refusal(const ClientCommand& command) override;
  [[nodiscard]] bool watches(const ClientCommand& command) const override;
  void responded(const ClientCommand& command, proto::Bytes response) override;

 private:
  Clock clock_;
  LockoutGuard guard_;
  std::function<void(std::string)> changed_ = [](const std::string&) {};
  Observer* observer_ = nullptr;
};

}  // namespace tbs::policy
