#include "daemon/policy/backlog.h"

namespace tbs::policy {
namespace {

// Of the whole, for administrators alone.
constexpr std::size_t kReservedPart = 8;

}  // namespace

void Backlog::change(AccountId account, std::size_t before, std::size_t now) {
  if (before == now) return;
  sum_ += now - before;
  const auto entry = accounts_.try_emplace(account).first;
  entry->second += now - before;
  if (entry->second == 0) accounts_.erase(entry);
}

bool Backlog::full(AccountId account) const {
  const std::size_t own = of(account);
  if (own >= per_account_) return true;
  const std::size_t most = is_administrators(account) ? total_ : total_ - total_ / kReservedPart;
  return sum_ >= most && own >= most / accounts_.size();
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
