#pragma once

// What clients have waiting in the daemon's memory (commands outstanding, requests that wait for
// their turn, answers not read), summed up by account. While an account has too much, its
// connections are not read from. When all accounts together have too much, those who have more than
// their part of it wait, and nobody else does. A part of the whole is kept for administrators.

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "daemon/base/ids.h"
#include "daemon/base/tally.h"

namespace tbs::policy {

class Backlog {
 public:
  // `narrower`: accounts for which another number holds than for the rest.
  void set_limits(std::size_t per_account, std::size_t total,
                  std::unordered_map<AccountId, std::size_t> narrower = {}) {
    per_account_ = per_account;
    total_ = total;
    narrower_ = std::move(narrower);
  }

  // One of the account's connections has this much waiting now, and had `before`. Whether the
  // account was full, and is.
  struct Change {
    bool was_full;
    bool is_full;
  };
  Change change(AccountId account, std::size_t before, std::size_t now);

  // Whether the account's connections are held up.
  [[nodiscard]] bool full(AccountId account) const;

  [[nodiscard]] std::size_t of(AccountId account) const;
  [[nodiscard]] std::size_t total() const { return sum_; }
  // Who has most.
  [[nodiscard]] Peak<AccountId> peak() const;

 private:
  [[nodiscard]] bool full_with(AccountId account, std::size_t own) const;

  std::unordered_map<AccountId, std::size_t> accounts_;
  std::size_t waiting_ = 0;  // accounts with something waiting
  std::size_t sum_ = 0;
  std::size_t per_account_ = SIZE_MAX;
  std::unordered_map<AccountId, std::size_t> narrower_;
  std::size_t total_ = SIZE_MAX;
};

}  // namespace tbs::policy
