#pragma once

// What clients have waiting in the daemon's memory (commands outstanding, answers not read), summed
// up by user. While a user has too much, the user's connections are not read from; one that has
// nothing waiting always is, so that every context gets on. When all users together have too much,
// those who have more than their part of it wait, and nobody else does.

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "daemon/base/ids.h"

namespace tbs::policy {

class Backlog {
 public:
  // `narrower`: users for whom another number holds than for the rest.
  void set_limits(std::size_t per_user, std::size_t total,
                  std::unordered_map<UserId, std::size_t> narrower = {}) {
    per_user_ = per_user;
    total_ = total;
    narrower_ = std::move(narrower);
  }

  // The connection has this much waiting now.
  void set(std::uint64_t connection, UserId user, std::size_t bytes);
  void erase(std::uint64_t connection);

  [[nodiscard]] bool may_read(std::uint64_t connection, UserId user) const;
  // Whether the user's connections are held up.
  [[nodiscard]] bool full(UserId user) const;

  [[nodiscard]] std::size_t of(UserId user) const;
  [[nodiscard]] std::size_t total() const { return sum_; }

 private:
  struct Entry {
    UserId user{};
    std::size_t bytes = 0;
  };
  std::unordered_map<std::uint64_t, Entry> connections_;  // with something waiting
  std::unordered_map<UserId, std::size_t> users_;
  std::size_t sum_ = 0;
  std::size_t per_user_ = SIZE_MAX;
  std::unordered_map<UserId, std::size_t> narrower_;
  std::size_t total_ = SIZE_MAX;
};

}  // namespace tbs::policy
