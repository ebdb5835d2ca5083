#pragma once

// Keeps users from driving the TPM into its own lockout, which hits everybody. Failed
// authorizations that raise the TPM's dictionary-attack counter are counted per user within a
// window; a user with too many gets no command with an authorization through until the oldest
// leave the window. When all users together have too many, those who have failed themselves wait,
// and nobody else does. Administrators are excepted.
//
// Above this stands the TPM's own counter, whoever has raised it. Users raise it to one below the
// TPM's limit at most: that attempt is kept for administrators. The one before it is for users who
// have not failed lately. When the counter is back at 0, all failures are forgotten.
//
// Times are the seconds of LockoutTime: the counts outlive the process (to_text, from_text).

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/ids.h"
#include "daemon/tpm/lockout.h"

namespace tbs::policy {

struct LockoutLimits {
  std::uint64_t window = 480 * 60;  // seconds
  std::size_t per_user = 4;
  std::size_t total = 9;

  template <typename Record>
  void fields(Record& record) {
    record(window, per_user, total);
  }
};

class LockoutGuard {
 public:
  // Whose failures are counted together.
  using Key = AccountId;

  struct Entry {
    Key account{};
    std::size_t failures = 0;
    bool locked = false;
    std::uint64_t until = 0;  // when the oldest failure is forgotten
  };

  void set_limits(const LockoutLimits& limits) { limits_ = limits; }
  [[nodiscard]] const LockoutLimits& limits() const { return limits_; }
  // What the TPM has said about itself. True when failures were forgotten because of it.
  bool learn(const tpm::Lockout& lockout, std::uint64_t now);
  [[nodiscard]] const tpm::Lockout& tpm() const { return tpm_; }
  // The configured limits, or less where the TPM allows less.
  [[nodiscard]] LockoutLimits in_force() const;
  // Whether the TPM may have forgotten failures since it was asked, or somebody else may have reset
  // it. To ask it again is worth a command then, and not more often.
  [[nodiscard]] bool knowledge_is_old(std::uint64_t now) const;
  // The TPM is being asked: not again at once if it does not answer.
  void asked(std::uint64_t now) { tpm_asked_ = now; }

  void failed(Key user, std::uint64_t now);
  // Why a user's commands with an authorization are held back: for failures of users, or only
  // because one more would bring the TPM too near its limit.
  enum class Hold : std::uint8_t { None, Failures, Tpm };
  [[nodiscard]] Hold hold(Key user, std::uint64_t now) const;
  [[nodiscard]] bool locked(Key user, std::uint64_t now) const {
    return hold(user, now) != Hold::None;
  }
  // Forgets the failures of a user, or of all.
  void reset(Key user) { failures_.erase(user); }
  void reset_all() { failures_.clear(); }

  [[nodiscard]] std::vector<Entry> entries(std::uint64_t now) const;

  // One line for each failure: "UID SECONDS". Empty when there is none.
  [[nodiscard]] std::string to_text() const;
  // Takes what it understands. `then` is the present by the clock of the text: what lies after it
  // counts as made now.
  void from_text(std::string_view text, std::uint64_t then, std::uint64_t now);

  // More than the text has: what the TPM has said, and when it was asked.
  template <typename Record>
  void fields(Record& record) {
    record(limits_, tpm_, tpm_asked_, failures_);
    if constexpr (Record::kReads) {
      record.require(failures_.size() <= kMostUsers, "too many users have failed");
      for (const auto& [user, own] : failures_) {
        record.require(!own.empty() && own.size() <= kMostKept, "failures of nobody, or too many");
      }
    }
  }

 private:
  // Failures kept of one user; with so many a user is locked out whatever the limits are.
  static constexpr std::size_t kMostKept = 64;
  static constexpr std::size_t kMostUsers = 4096;
  using Failures = std::vector<std::uint64_t>;  // oldest first

  void forget_old(std::uint64_t now);
  [[nodiscard]] std::uint64_t longest_window() const;
  [[nodiscard]] static std::size_t within(const Failures& own, std::uint64_t window,
                                          std::uint64_t now);
  [[nodiscard]] std::size_t total(std::uint64_t window, std::uint64_t now) const;
  [[nodiscard]] bool tpm_counts() const { return tpm_.limit != 0 && tpm_.interval != 0; }
  [[nodiscard]] bool tpm_is_near_its_limit(bool has_failed) const;
  [[nodiscard]] std::size_t own_share() const;

  LockoutLimits limits_;
  tpm::Lockout tpm_;
  std::uint64_t tpm_asked_ = 0;
  std::map<Key, Failures> failures_;
};

}  // namespace tbs::policy
