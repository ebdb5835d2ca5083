#pragma once

// Keeps what accounts have made on the TPM apart: sees every command that makes, removes or changes
// an NV index or a persistent object at the moment it would reach the TPM, and what the TPM
// answers. Between the time when a command came and that moment, what it names may have got another
// owner, and its account may have made more: so the rules are asked again, and what the account has
// is counted only then. Administrators have no quota.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/command/command_guard.h"
#include "daemon/policy/limits.h"
#include "daemon/policy/ownership.h"
#include "daemon/tpm/command_info.h"

namespace tbs::policy {

class OwnershipGuard final : public CommandGuard {
 public:
  // Seconds since 1970.
  using Clock = std::function<std::uint64_t()>;

  // Knows the rules.
  class Judge {
   public:
    virtual ~Judge() = default;
    // The response that a command gets instead of reaching the TPM, if the rules block it.
    virtual std::optional<proto::Buffer> judge(const ClientCommand& command) = 0;
  };

  // `commands` is the TPM's own table, which may be empty or grow; it must outlive the guard.
  OwnershipGuard(const tpm::CommandTable& commands, Clock clock)
      : commands_(commands), clock_(std::move(clock)) {}

  // `own_limits`: of the accounts for which others hold.
  void set_limits(const Limits& limits, std::map<AccountId, Limits> own_limits = {}) {
    limits_ = limits;
    own_limits_ = std::move(own_limits);
  }
  // It must outlive the guard.
  void set_judge(Judge& judge) { judge_ = &judge; }
  [[nodiscard]] Judge* judge() const { return judge_; }
  // What was known before; `changed` is given it anew whenever it changes.
  void restore(std::string_view known, std::function<void(std::string)> changed);
  void learn(const tpm::Inventory& inventory);

  [[nodiscard]] const Ownership& ownership() const { return ownership_; }

  template <typename Record>
  void fields(Record& record) {
    record(limits_, own_limits_, ownership_);
  }

  std::optional<proto::Buffer> refusal(const ClientCommand& command) override;
  [[nodiscard]] bool watches(const ClientCommand& command) const override;
  void responded(const ClientCommand& command, proto::Bytes response) override;

 private:
  [[nodiscard]] bool has_room(const LastingChange& change, AccountId account) const;
  void tell_change();

  const tpm::CommandTable& commands_;
  Clock clock_;
  Limits limits_;
  std::map<AccountId, Limits> own_limits_;
  Ownership ownership_;
  Judge* judge_ = nullptr;
  std::string told_;
  std::function<void(std::string)> changed_ = [](const std::string&) {};
};

}  // namespace tbs::policy
