#include "daemon/policy/backlog.h"

#include <algorithm>

namespace tbs::policy {
namespace {

// Of the whole, for administrators alone.
constexpr std::size_t kReservedPart = 8;

// Accounts whose entry stays though nothing waits, because they come again and again.
constexpr std::size_t kKept = 64;

}  // namespace

Backlog::Change Backlog::change(AccountId account, std::size_t before, std::size_t now) {
  const auto entry = accounts_.try_emplace(account).first;
  std::size_t& own = entry->second;
  const bool had_some = own > 0;
  const bool was_full = full_with(account, own);
  sum_ += now - before;
  own += now - before;
  if (own > 0 && !had_some) ++waiting_;
  if (own == 0 && had_some) --waiting_;
  const Change change{.was_full = was_full, .is_full = full_with(account, own)};
  if (own == 0 && accounts_.size() > kKept) accounts_.erase(entry);
  return change;
}

bool Backlog::full(AccountId account) const {
  return full_with(account, of(account));
}

bool Backlog::full_with(AccountId account, std::size_t own) const {
  const auto narrower = narrower_.find(account);
  if (own >= (narrower == narrower_.end() ? per_account_ : narrower->second)) return true;
  const std::size_t most = is_administrators(account) ? total_ : total_ - total_ / kReservedPart;
  return sum_ >= most && own >= most / std::max<std::size_t>(waiting_, 1);
}

std::size_t Backlog::of(AccountId account) const {
  const auto entry = accounts_.find(account);
  return entry == accounts_.end() ? 0 : entry->second;
}

Peak<AccountId> Backlog::peak() const {
  Peak<AccountId> peak;
  for (const auto& [account, bytes] : accounts_) peak.see(bytes, account);
  return peak;
}

}  // namespace tbs::policy
