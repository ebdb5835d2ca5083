#include "daemon/policy/ownership.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <set>
#include <vector>

namespace tbs::policy {
namespace {

// A TPM that was switched off without warning may have lost this much of its clock (Part 1,
// "Non-volatile Time", 2^22 ms), and a clock may go a little wrong.
constexpr std::uint64_t kClockLoss = std::uint64_t{1} << 22;
constexpr std::uint64_t kClockLead = std::uint64_t{24} * 3600 * 1000;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty() && words.size() < 8) {
    const std::size_t length = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, length));
    line.remove_prefix(std::min(line.size(), length + 1));
  }
  return words;
}

template <typename Number>
bool read(std::string_view word, Number& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc{} && end == word.data() + word.size();
}

// The numbers that follow the first word.
template <typename Number, std::size_t kCount>
bool read_all(const std::vector<std::string_view>& words, std::array<Number, kCount>& values) {
  if (words.size() != kCount + 1) return false;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (!read(words[i + 1], values[i])) return false;
  }
  return true;
}

}  // namespace

const Ownership::Entry* Ownership::find(std::uint32_t handle) const {
  const auto entry = entries_.find(handle);
  return entry == entries_.end() ? nullptr : &entry->second;
}

std::optional<rules::Owner> Ownership::owner_of(const LastingChange& change,
                                                AccountId account) const {
  if (change.hidden) return rules::Owner::Other;
  const Entry* const entry = find(change.handle);
  if (entry != nullptr && entry->account == account) return rules::Owner::Self;
  if (change.kind == LastingChange::Kind::Makes) {
    // There may be something that was never seen.
    const bool free = entry == nullptr && complete_;
    if (!change.replaces || free) return std::nullopt;
  }
  // Who knows the value was told it by the maker; no value tells nothing.
  if (change.by_own_value && (entry == nullptr || !entry->open)) return std::nullopt;
  return rules::Owner::Other;
}

Ownership::Entry Ownership::made_by(const LastingChange& change, AccountId account) {
  // What administrators make is theirs as a whole, as what was there before.
  return {.account = is_administrators(account) ? std::nullopt : std::optional(account),
          .bytes = change.bytes,
          .persistent = change.persistent,
          .open = change.open};
}

void Ownership::apply(const LastingChange& change, AccountId account) {
  expected_.reset();
  if (change.kind == LastingChange::Kind::Changes) return;
  entries_.erase(change.handle);
  if (change.kind == LastingChange::Kind::Removes || change.hidden) return;
  if (entries_.size() < kMostEntries) entries_.emplace(change.handle, made_by(change, account));
}

void Ownership::expect(const LastingChange& change, AccountId account) {
  expected_.reset();
  const bool makes = change.kind == LastingChange::Kind::Makes && !change.hidden;
  if (makes && complete_ && !entries_.contains(change.handle)) {
    expected_ = {.handle = change.handle, .entry = made_by(change, account)};
  }
}

bool Ownership::another_tpm(const tpm::Inventory& inventory, std::uint64_t now) const {
  if (inventory.same_tpm || !seen_ || !inventory.age) return false;
  const tpm::Age& before = seen_->age;
  const tpm::Age& found = *inventory.age;
  if (found.resets < before.resets || found.milliseconds + kClockLoss < before.milliseconds) {
    return true;
  }
  // A machine without a clock of its own may know the time only later.
  if (now < seen_->at) return false;
  const std::uint64_t passed = (now - seen_->at) * 1000;
  return found.milliseconds > before.milliseconds + passed + passed / 4 + kClockLead;
}

void Ownership::forget_accounts() {
  for (auto& [handle, entry] : entries_) entry.account.reset();
  expected_.reset();
}

void Ownership::learn(const tpm::Inventory& inventory, std::uint64_t now) {
  if (another_tpm(inventory, now)) forget_accounts();
  std::set<std::uint32_t> there(inventory.nv_indices.begin(), inventory.nv_indices.end());
  there.insert(inventory.persistent_handles.begin(), inventory.persistent_handles.end());
  std::erase_if(entries_, [&](const auto& entry) { return !there.contains(entry.first); });
  if (expected_ && there.contains(expected_->handle)) {
    entries_.try_emplace(expected_->handle, expected_->entry);
  }
  expected_.reset();
  complete_ = there.size() <= kMostEntries;
  for (const std::uint32_t handle : inventory.nv_indices) {
    if (entries_.size() < kMostEntries) entries_.try_emplace(handle);
  }
  for (const std::uint32_t handle : inventory.persistent_handles) {
    if (entries_.size() < kMostEntries) entries_.try_emplace(handle, Entry{.persistent = true});
  }
  seen_.reset();
  if (inventory.age) seen_ = {.age = *inventory.age, .at = now};
}

std::map<AccountId, Ownership::Usage> Ownership::usage() const {
  std::map<AccountId, Usage> all;
  for (const auto& [handle, entry] : entries_) {
    if (!entry.account) continue;
    Usage& usage = all[*entry.account];
    if (entry.persistent) {
      ++usage.persistent_objects;
    } else {
      ++usage.nv_indices;
      usage.nv_bytes += entry.bytes;
    }
  }
  return all;
}

Ownership::Usage Ownership::of(AccountId account) const {
  const auto all = usage();
  const auto own = all.find(account);
  return own == all.end() ? Usage{} : own->second;
}

std::string Ownership::to_text() const {
  std::string text;
  for (const auto& [handle, entry] : entries_) {
    if (!entry.account) continue;
    text += (entry.persistent ? "persistent " : "nv ") + std::to_string(handle) + " " +
            std::to_string(static_cast<std::uint64_t>(*entry.account));
    if (!entry.persistent) text += " " + std::to_string(entry.bytes) + (entry.open ? " 1" : " 0");
    text += "\n";
  }
  if (text.empty() || !seen_) return text;
  return "tpm " + std::to_string(seen_->age.milliseconds) + " " +
         std::to_string(seen_->age.resets) + " " + std::to_string(seen_->at) + "\n" + text;
}

void Ownership::from_text(std::string_view text) {
  entries_.clear();
  seen_.reset();
  complete_ = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (entries_.size() < kMostEntries) take_line(line);
  }
}

void Ownership::take_line(std::string_view line) {
  const auto words = words_of(line);
  if (words.empty()) return;
  std::array<std::uint64_t, 3> age{};
  std::array<std::uint64_t, 4> nv{};
  std::array<std::uint64_t, 2> object{};
  if (words[0] == "tpm" && read_all(words, age) && age[1] <= UINT32_MAX) {
    seen_ = {.age = {.milliseconds = age[0], .resets = static_cast<std::uint32_t>(age[1])},
             .at = age[2]};
  } else if (words[0] == "nv" && read_all(words, nv) && nv[0] <= UINT32_MAX &&
             nv[1] < kAdministratorsBit && nv[2] <= UINT32_MAX) {
    entries_[static_cast<std::uint32_t>(nv[0])] = {.account = AccountId{nv[1]},
                                                   .bytes = static_cast<std::uint32_t>(nv[2]),
                                                   .open = nv[3] != 0};
  } else if (words[0] == "persistent" && read_all(words, object) && object[0] <= UINT32_MAX &&
             object[1] < kAdministratorsBit) {
    entries_[static_cast<std::uint32_t>(object[0])] = {.account = AccountId{object[1]},
                                                       .persistent = true};
  }
}

}  // namespace tbs::policy
