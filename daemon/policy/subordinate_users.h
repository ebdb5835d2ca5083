#pragma once

// Whose a user number is. Ranges of subordinate numbers belong to users (subuid(5)), who can be
// whoever they like of them in user namespaces (user_namespaces(7)): what they do under all of
// these numbers counts as their own.

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/base/ids.h"

namespace tbs::policy {

class SubordinateUsers {
 public:
  // The number of a user of this name; nothing where there is none.
  using UserByName = std::function<std::optional<UserId>(std::string_view name)>;

  SubordinateUsers() = default;
  // Reads the text of /etc/subuid: lines of name:first:count, where a number may stand for the
  // name. Lines that are none of this, and those of unknown users, are left out; so is what comes
  // after the longest file that is sensible.
  SubordinateUsers(std::string_view subuid, const UserByName& by_name);

  // Nothing when it is in no range.
  [[nodiscard]] std::optional<UserId> owner_of(UserId user) const;

 private:
  struct Range {
    std::uint32_t first;
    std::uint32_t count;
    UserId owner;
  };

  std::vector<Range> ranges_;  // by first
};

// Whose it is by the map of the user namespace that its process lives in: the text of
// /proc/PID/uid_map, with numbers as they are outside (user_namespaces(7)). Nothing when the map
// does not say, or is that of no namespace of its own.
//
// A user who makes a namespace may map its own number, one alone, and its subordinate ones: then it
// is that one. Where there is no such line, the container as a whole counts as the lowest number in
// it.
[[nodiscard]] std::optional<UserId> owner_by_map(UserId user, std::string_view uid_map);

}  // namespace tbs::policy
