#include "client/tbsctl/text/user_names.h"

#include <array>

#include <grp.h>
#include <pwd.h>

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/number.h"

namespace tbs::ctl {
namespace {

constexpr std::size_t kEntryRoom = 16384;
constexpr int kMaxGroups = 65536;  // of a user; the kernel has no more

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

std::optional<User> read_entry(int error, const passwd* found) {
  if (error != 0 || found == nullptr) return std::nullopt;
  return User{.name = found->pw_name, .uid = found->pw_uid, .gid = found->pw_gid};
}

std::optional<User> user_with(std::uint32_t uid) {
  std::array<char, kEntryRoom> texts{};
  passwd entry{};
  passwd* found = nullptr;
  const int error = getpwuid_r(uid, &entry, texts.data(), texts.size(), &found);
  return read_entry(error, found);
}

std::optional<User> user_named(const std::string& name) {
  std::array<char, kEntryRoom> texts{};
  passwd entry{};
  passwd* found = nullptr;
  const int error = getpwnam_r(name.c_str(), &entry, texts.data(), texts.size(), &found);
  return read_entry(error, found);
}

}  // namespace

const std::string& UserNames::of(std::uint32_t uid) {
  const auto known = known_.find(uid);
  if (known != known_.end()) return known->second;
  const auto user = user_with(uid);
  return known_.emplace(uid, user ? printable(user->name) : std::to_string(uid)).first->second;
}

void UserNames::add_tenant(std::uint32_t number, const std::string& name) {
  tenants_[number] = name;
  known_[number] = "tenant " + printable(name);
}

std::optional<std::string> UserNames::tenant(std::uint32_t number) const {
  const auto found = tenants_.find(number);
  return found == tenants_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint32_t> parse_user(const std::string& text) {
  if (const auto number = parse_number<std::uint32_t>(text)) return number;
  const auto user = user_named(text);
  return user ? std::optional(user->uid) : std::nullopt;
}

std::optional<std::uint32_t> parse_group(const std::string& text) {
  if (const auto number = parse_number<std::uint32_t>(text)) return number;
  std::vector<char> texts(kEntryRoom * 16);  // the names of its members are in it
  group entry{};
  group* found = nullptr;
  const int error = getgrnam_r(text.c_str(), &entry, texts.data(), texts.size(), &found);
  if (error != 0 || found == nullptr) return std::nullopt;
  return entry.gr_gid;
}

std::string group_name(std::uint32_t gid) {
  std::vector<char> texts(kEntryRoom * 16);
  group entry{};
  group* found = nullptr;
  const int error = getgrgid_r(gid, &entry, texts.data(), texts.size(), &found);
  return error == 0 && found != nullptr ? printable(entry.gr_name) : std::to_string(gid);
}

std::vector<std::uint32_t> groups_of(const std::string& name) {
  const auto user = user_named(name);
  if (!user) return {};
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (getgrouplist(user->name.c_str(), user->gid, groups.data(), &count) < 0) {
    if (count <= static_cast<int>(groups.size()) || count > kMaxGroups) return {};
    groups.resize(static_cast<std::size_t>(count));
  }
  return {groups.begin(), groups.begin() + count};
}

}  // namespace tbs::ctl
