#pragma once

// What commands authorize, as far as the TPM's protection against guessing is concerned.
//
// lockoutAuth resets the TPM's protection against guessing. One wrong value of it, whoever
// sent it, makes the TPM refuse it for TPM_PT_LOCKOUT_RECOVERY seconds, until a power cycle where
// that is 0. No counter warns before.

#include <cstdint>
#include <set>
#include <vector>

#include "daemon/command/client_command.h"
#include "daemon/tpm/command_info.h"

namespace tbs::policy {

// Whether the command names TPM_RH_LOCKOUT where it is to be authorized, or binds a session to it.
[[nodiscard]] bool names_lockout(const ClientCommand& command);

// Sessions that are bound to nothing. The TPM counts a failure of one that is bound for what it is
// bound to.
class UnboundSessions {
 public:
  // Takes what a StartAuthSession has made; anything else is no matter.
  void note(const ClientCommand& command, proto::Bytes response);
  [[nodiscard]] bool contains(std::uint32_t handle) const { return handles_.contains(handle); }

  template <typename Record>
  void fields(Record& record) {
    std::vector<std::uint32_t> list(handles_.begin(), handles_.end());
    record(list);
    if constexpr (Record::kReads) {
      record.require(list.size() <= kMostSessions, "there are too many sessions");
      handles_ = {list.begin(), list.end()};
    }
  }

 private:
  // A TPM has 64 at a time, with numbers that come again.
  static constexpr std::size_t kMostSessions = 1024;

  std::set<std::uint32_t> handles_;
};

// Whether a failure of the command's authorizations is certainly none that the TPM counts: all of
// them are of hierarchies or PCRs, which have no protection against guessing.
[[nodiscard]] bool raises_no_counter(const ClientCommand& command,
                                     const tpm::CommandTable& commands,
                                     const UnboundSessions& unbound);

}  // namespace tbs::policy
