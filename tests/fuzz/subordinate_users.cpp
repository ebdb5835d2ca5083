// The ranges of subordinate users, and the map of a user namespace. What is found is in a range.

#include "daemon/policy/subordinate_users.h"

#include <cstdlib>
#include <string_view>

#include "proto/byte_reader.h"

using namespace tbs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  proto::ByteReader reader(proto::Bytes(data, size));
  const UserId user{reader.be32()};
  if (!reader.ok()) return 0;
  const proto::Bytes rest = reader.rest();
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  const policy::SubordinateUsers users(text, [](std::string_view name) -> std::optional<UserId> {
    if (name.empty()) std::abort();
    return UserId{1000};
  });
  (void)users.owner_of(user);
  (void)policy::owner_by_map(user, text);
  return 0;
}
