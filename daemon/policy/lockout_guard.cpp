#include "daemon/policy/lockout_guard.h"

#include <algorithm>
#include <charconv>

namespace tbs::policy {
namespace {

// Failures kept of one user: more change nothing.
constexpr std::size_t kMostKept = 64;
constexpr std::size_t kMostUsers = 4096;

// TPM 2.0 Library Part 2, "TPM_RC": format-one codes carry their number in the low six bits.
constexpr std::uint32_t kFormatOne = 0x080;
constexpr std::uint32_t kFormatOneNumber = 0x03F;
constexpr std::uint32_t kAuthFail = 0x00E;
constexpr std::uint32_t kRcLockout = 0x921;
// TPM 1.2 Part 2, "Return codes": TPM_AUTHFAIL, TPM_AUTH2FAIL, TPM_DEFEND_LOCK_RUNNING.
constexpr std::uint32_t kTpm12AuthFail = 0x01;
constexpr std::uint32_t kTpm12Auth2Fail = 0x1D;
constexpr std::uint32_t kTpm12DefendLockRunning = 0x803;
// Tags of commands with authorizations: TPM_ST_SESSIONS, TPM_TAG_RQU_AUTH1_COMMAND and AUTH2.
constexpr std::uint16_t kTagSessions = 0x8002;
constexpr std::uint16_t kTagAuth1 = 0x00C2;
constexpr std::uint16_t kTagAuth2 = 0x00C3;

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
  const std::size_t failures = own == failures_.end() ? 0 : own->second.size();
  if (failures >= limits_.per_user) return true;
  return failures > 0 && total() >= limits_.total;
}

std::vector<LockoutGuard::Entry> LockoutGuard::entries(std::uint64_t now) {
  forget_old(now);
  std::vector<Entry> entries;
  entries.reserve(failures_.size());
  for (const auto& [user, own] : failures_) {
    entries.push_back(
        {.user = user, .failures = own.size(), .until = own.front() + limits_.window});
  }
  for (Entry& entry : entries) entry.locked = locked(entry.user, now);
  std::ranges::sort(entries, {}, &Entry::user);
  return entries;
}

std::string LockoutGuard::to_text() const {
  std::string text;
  for (const auto& [user, own] : failures_) {
    for (const std::uint64_t at : own) {
      text += std::to_string(static_cast<std::uint32_t>(user)) + " " + std::to_string(at) + "\n";
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
    if (!take_number(line, user) || !take_number(line, at) || !line.empty() || user > UINT32_MAX) {
      continue;
    }
    const UserId id{static_cast<std::uint32_t>(user)};
    if (!failures_.contains(id) && failures_.size() >= kMostUsers) continue;
    auto& own = failures_[id];
    if (own.size() < kMostKept) own.push_back(std::min(at, now));
    std::ranges::sort(own);
  }
  forget_old(now);
}

void LockoutGuard::forget_old(std::uint64_t now) {
  for (auto& [user, own] : failures_) {
    while (!own.empty() && own.front() + limits_.window <= now) own.pop_front();
  }
  std::erase_if(failures_, [](const auto& entry) { return entry.second.empty(); });
}

std::size_t LockoutGuard::total() const {
  std::size_t sum = 0;
  for (const auto& [user, own] : failures_) sum += own.size();
  return sum;
}

bool is_counted_failure(std::uint32_t tpm_version, std::uint32_t response_code) {
  if (tpm_version == 1) {
    return response_code == kTpm12AuthFail || response_code == kTpm12Auth2Fail;
  }
  return (response_code & kFormatOne) != 0 && (response_code & kFormatOneNumber) == kAuthFail;
}

bool has_authorization(std::uint16_t tag) {
  return tag == kTagSessions || tag == kTagAuth1 || tag == kTagAuth2;
}

std::uint32_t lockout_code(std::uint32_t tpm_version) {
  return tpm_version == 1 ? kTpm12DefendLockRunning : kRcLockout;
}

}  // namespace tbs::policy
