#pragma once

// Names of users and groups, from the system's database.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tbs::ctl {

// For listings: asks once for each number.
class UserNames {
 public:
  // The name, or the number as text when no user has it.
  const std::string& of(std::uint32_t uid);
  // From now on the number is that of this tenant.
  void add_tenant(std::uint32_t number, const std::string& name);
  // The tenant's name; nothing for a user's number.
  [[nodiscard]] std::optional<std::string> tenant(std::uint32_t number) const;

 private:
  std::map<std::uint32_t, std::string> known_;
  std::map<std::uint32_t, std::string> tenants_;
};

// A number, or the name of a user or group that exists.
std::optional<std::uint32_t> parse_user(const std::string& text);
std::optional<std::uint32_t> parse_group(const std::string& text);

// The name of a group, or its number as text when none has it.
std::string group_name(std::uint32_t gid);

// The groups that the system's database gives to the user with this name; none when it has no such
// user.
std::vector<std::uint32_t> groups_of(const std::string& name);

}  // namespace tbs::ctl
