#include "daemon/policy/subordinate_users.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace tbs::policy {
namespace {

// Far more than any machine has users.
constexpr std::size_t kMostRanges = 65536;

// Takes what stands before the separator off the front of `text`.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// One line of a map: `count` numbers from `inside` on are those from `outside` on outside.
struct Mapping {
  std::uint32_t outside;
  std::uint32_t count;

  [[nodiscard]] bool contains(std::uint32_t user) const {
    return user >= outside && user - outside < count;
  }
};

std::optional<Mapping> mapping(std::string_view line) {
  std::array<std::optional<std::uint32_t>, 3> fields;
  for (auto& field : fields) {
    while (line.starts_with(' ')) line.remove_prefix(1);
    field = number(take_until(line, ' '));
    if (!field) return std::nullopt;
  }
  return Mapping{.outside = *fields[1], .count = *fields[2]};
}

// The one line of the namespace that the machine begins with.
constexpr std::uint32_t kAllNumbers = 0xFFFFFFFF;

}  // namespace

SubordinateUsers::SubordinateUsers(std::string_view subuid, const UserByName& by_name) {
  while (!subuid.empty() && ranges_.size() < kMostRanges) {
    std::string_view line = take_until(subuid, '\n');
    const std::string_view name = take_until(line, ':');
    const auto first = number(take_until(line, ':'));
    const auto count = number(line);
    if (name.empty() || !first || !count || *count == 0) continue;
    const auto as_number = number(name);
    const auto owner = as_number ? UserId{*as_number} : by_name(name);
    if (owner) ranges_.push_back({.first = *first, .count = *count, .owner = *owner});
  }
  std::ranges::sort(ranges_, {}, &Range::first);
}

std::optional<UserId> SubordinateUsers::owner_of(UserId user) const {
  const auto number = static_cast<std::uint32_t>(user);
  const auto after = std::ranges::upper_bound(ranges_, number, {}, &Range::first);
  // Ranges may overlap, and then any of them will do; they seldom do.
  for (auto range = after; range != ranges_.begin();) {
    --range;
    if (number - range->first < range->count) return range->owner;
  }
  return std::nullopt;
}

std::optional<UserId> owner_by_map(UserId user, std::string_view uid_map) {
  const auto own = static_cast<std::uint32_t>(user);
  std::optional<std::uint32_t> alone;
  std::optional<std::uint32_t> lowest;
  bool mapped_alone = false;
  bool mapped = false;
  while (!uid_map.empty()) {
    const auto line = mapping(take_until(uid_map, '\n'));
    if (!line || line->count == kAllNumbers) return std::nullopt;
    if (line->count == 1 && !alone) alone = line->outside;
    lowest = std::min(lowest.value_or(line->outside), line->outside);
    if (!line->contains(own)) continue;
    mapped = true;
    mapped_alone = line->count == 1;
  }
  if (!mapped) return std::nullopt;
  if (mapped_alone) return user;
  return UserId{alone.value_or(*lowest)};
}

}  // namespace tbs::policy
