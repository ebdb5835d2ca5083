#include "daemon/policy/backlog.h"

#include <algorithm>

namespace tbs::policy {
namespace {

// Of the whole, for administrators alone.
constexpr std::size_t kReservedPart = 8;

// Accounts whose entry stays though nothing waits, because they come again and again.
constexpr std::size_t kKept = 64;

}  // namespace

void Backlog::change(AccountId account, std::size_t before, std::size_t now) {
  if (before == now) return;
  sum_ += now - before;
  const auto entry = accounts_.try_emplace(account).first;
  if (entry->second == 0) ++waiting_;
  entry->second += now - before;
  if (entry->second > 0) return;
  --waiting_;
  if (accounts_.size() > kKept) accounts_.erase(entry);
}

bool Backlog::full(AccountId account) const {
  const std::size_t own = of(account);
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
