#pragma once

// Names of users for listings.

#include <cstdint>
#include <map>
#include <string>

namespace tbs::ctl {

// Asks the system's user database once for each number.
class UserNames {
 public:
  // The name, or the number as text when no user has it.
  const std::string& of(std::uint32_t uid);

 private:
  std::map<std::uint32_t, std::string> known_;
};

}  // namespace tbs::ctl
