#pragma once

// What the rules and the lockout guard have to say about the clients' commands: when a command
// comes, and again when the TPM is free for it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "daemon/exec/guarded_engine.h"
#include "daemon/policy/command_filter.h"
#include "daemon/server/audit.h"
#include "daemon/server/clients.h"
#include "daemon/server/command_sink.h"
#include "daemon/server/environment.h"

namespace tbs::server {

class CommandScreening {
 public:
  // All must outlive it.
  CommandScreening(const tpm::CommandTable& commands, const Clients& clients,
                   const CommandSink& sink, const Environment& environment, Audit& audit)
      : filter_(commands),
        clients_(clients),
        sink_(sink),
        environment_(environment),
        audit_(audit) {}

  void set_rules(policy::Rules rules) { filter_.set_rules(std::move(rules)); }
  [[nodiscard]] const policy::Rules& rules() const { return filter_.rules(); }

  [[nodiscard]] policy::LockoutGuard& guard() { return filter_.guard(); }
  // Whom to tell what the guard knows, whenever that changes.
  void on_guard_changed(std::function<void(std::string)> changed) {
    guard_changed_ = std::move(changed);
  }
  void guard_changed() { guard_changed_(filter_.guard().to_text()); }

  // What a command that has come is answered instead of being queued; nothing when it may pass.
  std::optional<proto::Buffer> check(const Client& client, std::uint32_t priority,
                                     const proto::Submit& submit);
  // The guard's word on a command that is about to reach the TPM.
  exec::GuardedEngine::Verdict judge(ContextId context, proto::Bytes command);

 private:
  // An authorization failed, with this command.
  void note_failure(ContextId context, UserId user, std::uint32_t command);

  policy::CommandFilter filter_;
  const Clients& clients_;
  const CommandSink& sink_;
  const Environment& environment_;
  Audit& audit_;
  std::function<void(std::string)> guard_changed_ = [](const std::string&) {};
};

}  // namespace tbs::server
