#pragma once

// Keeps users from driving the TPM into its own lockout, which hits everybody. Failed
// authorizations that raise the TPM's dictionary-attack counter are counted per user within a
// window; a user with too many gets no command with an authorization through until the oldest
// leave the window. When all users together have too many, those who have failed themselves wait,
// and nobody else does. Administrators are excepted.
//
// The TPM's own limit holds whatever is configured. One that allows N failures and forgets one
// every T seconds sees at most N - 2 of one user (1 at least) within the time in which it forgets
// so many, and none of those who have failed once a single one more would lock it.
//
// Times are seconds since 1970: the counts outlive the process (to_text, from_text).

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/tpm/lockout.h"

namespace tbs::policy {

struct LockoutLimits {
  std::uint64_t window = 480 * 60;  // seconds
  std::size_t per_user = 4;
  std::size_t total = 9;
};

class LockoutGuard {
 public:
  struct Entry {
    UserId user{};
    std::size_t failures = 0;
    bool locked = false;
    std::uint64_t until = 0;  // when the oldest failure is forgotten
  };

  void set_limits(const LockoutLimits& limits) { limits_ = limits; }
  [[nodiscard]] const LockoutLimits& limits() const { return limits_; }
  // What the TPM has said about itself.
  void learn(const tpm::Lockout& lockout, std::uint64_t now) {
    tpm_ = lockout;
    tpm_learnt_ = now;
  }
  // The configured limits, or less where the TPM allows less.
  [[nodiscard]] LockoutLimits in_force() const;

  void failed(UserId user, std::uint64_t now);
  [[nodiscard]] bool locked(UserId user, std::uint64_t now);
  // Forgets the failures of a user, or of all.
  void reset(UserId user) { failures_.erase(user); }
  void reset_all() { failures_.clear(); }

  [[nodiscard]] std::vector<Entry> entries(std::uint64_t now);

  // One line for each failure: "UID SECONDS".
  [[nodiscard]] std::string to_text() const;
  // Takes what it understands; failures that lie in the future count as made now.
  void from_text(std::string_view text, std::uint64_t now);

 private:
  using Failures = std::deque<std::uint64_t>;  // oldest first

  void forget_old(std::uint64_t now);
  [[nodiscard]] std::uint64_t longest_window() const;
  [[nodiscard]] static std::size_t within(const Failures& own, std::uint64_t window,
                                          std::uint64_t now);
  [[nodiscard]] std::size_t total(std::uint64_t window, std::uint64_t now) const;
  [[nodiscard]] bool tpm_is_in_danger(const Failures& own, std::uint64_t now) const;
  [[nodiscard]] std::size_t own_share() const;
  [[nodiscard]] std::uint64_t tpm_span() const;
  [[nodiscard]] std::uint64_t tpm_counter(std::uint64_t now) const;

  LockoutLimits limits_;
  tpm::Lockout tpm_;
  std::uint64_t tpm_learnt_ = 0;
  std::unordered_map<UserId, Failures> failures_;
};

}  // namespace tbs::policy
