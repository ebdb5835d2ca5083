#pragma once

// Asks the lockout guard about commands that bring an authorization: when they come, and again when
// the TPM is free for them, because others of the user may have failed in between. The TPM's answer
// counts even when nobody waits for it any more. Administrators are excepted.
//
// lockoutAuth is nobody's but the administrators': a single wrong value shuts it off, so no command
// of a user that names it reaches the TPM, whatever the rules say. What administrators get wrong
// there is not counted with the rest, as the TPM does not.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/base/machine_time.h"
#include "daemon/command/command_guard.h"
#include "daemon/policy/lockout_authorization.h"
#include "daemon/policy/lockout_guard.h"
#include "daemon/policy/lockout_time.h"
#include "daemon/tpm/command_info.h"

namespace tbs::policy {

class AuthorizationGuard final : public CommandGuard {
 public:
  using Clock = std::function<MachineTime()>;

  // What an administrator is told.
  class Observer {
   public:
    virtual ~Observer() = default;
    // The command was answered with the lockout code.
    virtual void held_back(const ClientCommand& command) = 0;
    // With the failure of this command its user is locked out.
    virtual void locked_out(const ClientCommand& command) = 0;
    // The command brought a wrong lockoutAuth: the TPM takes none for so many seconds, or until a
    // power cycle (0).
    virtual void lockout_auth_failed(const ClientCommand& command, std::uint32_t seconds) = 0;
  };

  // `boot` names this start of the machine, see LockoutTime.
  explicit AuthorizationGuard(Clock clock, std::string boot = {})
      : clock_(std::move(clock)), time_(std::move(boot)) {}

  void set_limits(const LockoutLimits& limits) { guard_.set_limits(limits); }
  // What was known before; `changed` is given it anew whenever it changes.
  void restore(std::string_view known, std::function<void(std::string)> changed);
  // The TPM's, to understand which commands cannot fail in a way that it counts. It must outlive
  // the guard; without it there is none.
  void set_commands(const tpm::CommandTable& commands) { commands_ = &commands; }
  // It must outlive the guard.
  void set_observer(Observer& observer) { observer_ = &observer; }
  void learn(const tpm::Lockout& lockout);

  [[nodiscard]] std::uint64_t now() const { return time_.now(clock_()); }
  // See LockoutGuard.
  [[nodiscard]] LockoutLimits in_force() const { return guard_.in_force(); }
  // What the TPM has said last.
  [[nodiscard]] const tpm::Lockout& tpm() const { return guard_.tpm(); }
  [[nodiscard]] std::vector<LockoutGuard::Entry> entries() const { return guard_.entries(now()); }
  // Forgets the failures of a user, or of all.
  void reset(std::optional<LockoutGuard::Key> user);

  template <typename Record>
  void fields(Record& record) {
    record(time_, guard_, lockout_recovery_, unbound_);
  }

  std::optional<proto::Buffer> refusal(const ClientCommand& command) override;
  std::optional<proto::Buffer> question(const ClientCommand& command) override;
  void answered(proto::Bytes response) override;
  [[nodiscard]] bool watches(const ClientCommand& command) const override;
  void responded(const ClientCommand& command, proto::Bytes response) override;

 private:
  // Of a command that is under guard.
  [[nodiscard]] bool locked(const ClientCommand& command, std::uint64_t now) const;
  void tell_lockout_auth(const ClientCommand& command) const;
  void tell_change() const;

  Clock clock_;
  LockoutTime time_;
  LockoutGuard guard_;
  std::uint32_t lockout_recovery_ = 0;
  std::function<void(std::string)> changed_ = [](const std::string&) {};
  const tpm::CommandTable* commands_ = nullptr;
  UnboundSessions unbound_;
  Observer* observer_ = nullptr;
};

}  // namespace tbs::policy
