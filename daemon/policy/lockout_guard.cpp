#include "daemon/policy/lockout_guard.h"

#include <algorithm>
#include <charconv>

namespace tbs::policy {
namespace {

// Failures kept of one user; with so many a user is locked out whatever the limits are.
constexpr std::size_t kMostKept = 64;
constexpr std::size_t kMostUsers = 4096;
// Two bits above those of a uid say what kind of user it is.
constexpr std::uint64_t kHighestUser = (kTenantBit << 2) - 1;

// A TPM that forgets more slowly is taken to forget in this time.
constexpr std::uint64_t kLongestSpan = std::uint64_t{30} * 24 * 3600;

bool take_number(std::string_view& text, std::uint64_t& value) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

void LockoutGuard::failed(UserId user, std::uint64_t now) {
  forget_old(now);
  if (!failures_.contains(user) && failures_.size() >= kMostUsers) return;
  auto& own = failures_[user];
  own.push_back(now);
  if (own.size() > kMostKept) own.pop_front();
}

bool LockoutGuard::locked(UserId user, std::uint64_t now) {
  forget_old(now);
  const auto own = failures_.find(user);
  if (own == failures_.end()) return false;
  const std::size_t failures = within(own->second, limits_.window, now);
  return failures >= std::min(limits_.per_user, kMostKept) ||
         (failures > 0 && total(limits_.window, now) >= limits_.total) ||
         tpm_is_in_danger(own->second, now);
}

// The user would bring the TPM near its limit, or it is near it and the user has taken part in
// that.
bool LockoutGuard::tpm_is_in_danger(const Failures& own, std::uint64_t now) const {
  if (tpm_.limit == 0 || tpm_.interval == 0) return false;
  const std::uint64_t span = tpm_span();
  if (within(own, span, now) == 0) return false;
  return within(own, span, now) >= own_share() || total(span, now) + 1 >= tpm_.limit ||
         tpm_counter(now) + 1 >= tpm_.limit;
}

// What one user may fail: all but the last one that the TPM allows, and one for somebody else.
std::size_t LockoutGuard::own_share() const {
  return std::clamp<std::size_t>(tpm_.limit - std::min(tpm_.limit, 2U), 1, kMostKept);
}

// In which the TPM forgets what one user may fail.
std::uint64_t LockoutGuard::tpm_span() const {
  return std::min(own_share() * std::uint64_t{tpm_.interval}, kLongestSpan);
}

std::uint64_t LockoutGuard::tpm_counter(std::uint64_t now) const {
  const std::uint64_t forgotten = (now - std::min(now, tpm_learnt_)) / tpm_.interval;
  return tpm_.counter - std::min<std::uint64_t>(tpm_.counter, forgotten);
}

LockoutLimits LockoutGuard::in_force() const {
  LockoutLimits limits = limits_;
  limits.per_user = std::min(limits.per_user, kMostKept);
  if (tpm_.limit == 0 || tpm_.interval == 0) return limits;
  limits.per_user = std::min(limits.per_user, own_share());
  limits.total = std::min<std::size_t>(limits.total, std::max(tpm_.limit, 2U) - 1);
  return limits;
}

std::vector<LockoutGuard::Entry> LockoutGuard::entries(std::uint64_t now) {
  forget_old(now);
  std::vector<Entry> entries;
  entries.reserve(failures_.size());
  for (const auto& [user, own] : failures_) {
    entries.push_back(
        {.user = user, .failures = own.size(), .until = own.front() + longest_window()});
  }
  for (Entry& entry : entries) entry.locked = locked(entry.user, now);
  std::ranges::sort(entries, {}, &Entry::user);
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

void LockoutGuard::from_text(std::string_view text, std::uint64_t now) {
  failures_.clear();
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::uint64_t user = 0;
    std::uint64_t at = 0;
    if (!take_number(line, user) || !take_number(line, at) || !line.empty() || user > kHighestUser) {
      continue;
    }
    const UserId id{user};
    if (!failures_.contains(id) && failures_.size() >= kMostUsers) continue;
    auto& own = failures_[id];
    if (own.size() < kMostKept) own.push_back(std::min(at, now));
    std::ranges::sort(own);
  }
  forget_old(now);
}

void LockoutGuard::forget_old(std::uint64_t now) {
  const std::uint64_t window = longest_window();
  for (auto& [user, own] : failures_) {
    while (!own.empty() && own.front() + window <= now) own.pop_front();
  }
  std::erase_if(failures_, [](const auto& entry) { return entry.second.empty(); });
}

std::uint64_t LockoutGuard::longest_window() const {
  return tpm_.limit == 0 ? limits_.window : std::max(limits_.window, tpm_span());
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
