#include "client/tbsctl/text/user_names.h"

#include <array>

#include <pwd.h>

namespace tbs::ctl {
namespace {

std::string look_up(std::uint32_t uid) {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int error = getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return error == 0 && found != nullptr ? std::string(found->pw_name) : std::to_string(uid);
}

}  // namespace

const std::string& UserNames::of(std::uint32_t uid) {
  const auto known = known_.find(uid);
  if (known != known_.end()) return known->second;
  return known_.emplace(uid, look_up(uid)).first->second;
}

}  // namespace tbs::ctl
