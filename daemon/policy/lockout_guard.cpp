#include "daemon/policy/lockout_guard.h"

#include <algorithm>
#include <charconv>

namespace tbs::policy {
namespace {

// Two bits above those of a uid say what kind of user it is.
constexpr std::uint64_t kHighestUser = (kTenantBit << 2) - 1;

// For how long a user who has failed comes after those who have not while the TPM is near its
// limit, however short the configured window is. Not longer than the window's default.
constexpr std::uint64_t kLongestMemory = std::uint64_t{8} * 3600;

// What the TPM has said is not asked again within so many seconds.
constexpr std::uint64_t kTrustedFor = 10;

bool take_number(std::string_view& text, std::uint64_t& value) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

bool LockoutGuard::learn(const tpm::Lockout& lockout, std::uint64_t now) {
  tpm_ = lockout;
  tpm_asked_ = now;
  if (!tpm_counts() || tpm_.counter != 0 || failures_.empty()) return false;
  failures_.clear();
  return true;
}

bool LockoutGuard::knowledge_is_old(std::uint64_t now) const {
  if (!tpm_counts()) return false;
  return now >= tpm_asked_ + std::min<std::uint64_t>(tpm_.interval, kTrustedFor);
}

void LockoutGuard::failed(Key user, std::uint64_t now) {
  forget_old(now);
  ++tpm_.counter;  // until the TPM says how many there are
  if (!failures_.contains(user) && failures_.size() >= kMostUsers) return;
  auto& own = failures_[user];
  own.push_back(now);
  if (own.size() > kMostKept) own.erase(own.begin());
}

// Whether somebody asked must not matter later: what is too old is passed over here, and forgotten
// when the next failure comes.
LockoutGuard::Hold LockoutGuard::hold(Key user, std::uint64_t now) const {
  const auto own = failures_.find(user);
  const bool has_failed = own != failures_.end() && within(own->second, longest_window(), now) != 0;
  if (has_failed) {
    const LockoutLimits limits = in_force();
    const std::size_t failures = within(own->second, limits.window, now);
    if (failures >= limits.per_user) return Hold::Failures;
    if (failures > 0 && total(limits.window, now) >= limits.total) return Hold::Failures;
  }
  return tpm_is_near_its_limit(has_failed) ? Hold::Tpm : Hold::None;
}

// Whether one more failure would take what is kept for administrators, or, of a user who has
// failed, what is kept for those who have not. A TPM that allows a single failure has none to keep.
bool LockoutGuard::tpm_is_near_its_limit(bool has_failed) const {
  if (!tpm_counts()) return false;
  const std::uint64_t kept = (tpm_.limit > 1 ? 1U : 0U) + (has_failed ? 1U : 0U);
  return tpm_.counter + kept >= tpm_.limit;
}

// What one user may fail: all but what is kept for administrators and for others.
std::size_t LockoutGuard::own_share() const {
  return std::clamp<std::size_t>(tpm_.limit - std::min(tpm_.limit, 2U), 1, kMostKept);
}

LockoutLimits LockoutGuard::in_force() const {
  LockoutLimits limits = limits_;
  limits.per_user = std::min(limits.per_user, kMostKept);
  if (!tpm_counts()) return limits;
  limits.per_user = std::min(limits.per_user, own_share());
  limits.total = std::min<std::size_t>(limits.total, std::max(tpm_.limit, 2U) - 1);
  return limits;
}

std::vector<LockoutGuard::Entry> LockoutGuard::entries(std::uint64_t now) const {
  const std::uint64_t window = longest_window();
  std::vector<Entry> entries;
  for (const auto& [user, own] : failures_) {
    const std::size_t failures = within(own, window, now);
    if (failures == 0) continue;
    entries.push_back({.account = user,
                       .failures = failures,
                       .locked = locked(user, now),
                       .until = own[own.size() - failures] + window});
  }
  return entries;
}

std::string LockoutGuard::to_text() const {
  std::string text;
  for (const auto& [user, own] : failures_) {
    for (const std::uint64_t at : own) {
      text += std::to_string(static_cast<std::uint64_t>(user)) + " " + std::to_string(at) + "\n";
    }
  }
  return text;
}

void LockoutGuard::from_text(std::string_view text, std::uint64_t then, std::uint64_t now) {
  failures_.clear();
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::uint64_t user = 0;
    std::uint64_t at = 0;
    if (!take_number(line, user) || !take_number(line, at) || !line.empty() ||
        user > kHighestUser) {
      continue;
    }
    const Key id{user};
    if (!failures_.contains(id) && failures_.size() >= kMostUsers) continue;
    auto& own = failures_[id];
    const std::uint64_t age = then - std::min(at, then);
    if (own.size() < kMostKept) own.push_back(now - std::min(age, now));
    std::ranges::sort(own);
  }
  forget_old(now);
}

void LockoutGuard::forget_old(std::uint64_t now) {
  const std::uint64_t window = longest_window();
  for (auto& [user, own] : failures_) {
    std::erase_if(own, [&](std::uint64_t at) { return at + window <= now; });
  }
  std::erase_if(failures_, [](const auto& entry) { return entry.second.empty(); });
}

std::uint64_t LockoutGuard::longest_window() const {
  if (!tpm_counts()) return limits_.window;
  const std::uint64_t memory = std::uint64_t{tpm_.interval} * own_share();
  return std::max(limits_.window, std::min(memory, kLongestMemory));
}

std::size_t LockoutGuard::within(const Failures& own, std::uint64_t window, std::uint64_t now) {
  return static_cast<std::size_t>(
      std::ranges::count_if(own, [&](std::uint64_t at) { return at + window > now; }));
}

std::size_t LockoutGuard::total(std::uint64_t window, std::uint64_t now) const {
  std::size_t sum = 0;
  for (const auto& [user, own] : failures_) sum += within(own, window, now);
  return sum;
}

}  // namespace tbs::policy
