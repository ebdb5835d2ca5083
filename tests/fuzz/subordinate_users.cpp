// The ranges of subordinate users, and the map of a user namespace. What is found is in a range.

#include "daemon/policy/subordinate_users.h"

#include <cstdlib>
#include <string_view>

using namespace tbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 4, size - 4);
  const UserId user{static_cast<std::uint32_t>(data[0]) << 24 | data[1] << 16 | data[2] << 8 |
                    data[3]};
  constexpr UserId kNamed{1000};
  const policy::SubordinateUsers users(text, [](std::string_view name) -> std::optional<UserId> {
    if (name.empty()) std::abort();
    return kNamed;
  });
  (void)users.owner_of(user);
  (void)policy::owner_by_map(user, text);
  return 0;
}
