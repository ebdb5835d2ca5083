#include "daemon/policy/subordinate_users.h"

#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::policy;

namespace {

std::optional<UserId> by_name(std::string_view name) {
  if (name == "alice") return UserId{1000};
  if (name == "bob") return UserId{1001};
  return std::nullopt;
}

std::optional<UserId> owner(std::string_view subuid, std::uint32_t user) {
  return SubordinateUsers(subuid, by_name).owner_of(UserId{user});
}

}  // namespace

TEST_CASE("a subordinate number is its owner's", "[policy][subordinate_users]") {
  constexpr std::string_view kFile = "alice:100000:65536\n1001:165536:65536\nalice:400000:1\n";
  CHECK(owner(kFile, 99999) == std::nullopt);
  CHECK(owner(kFile, 100000) == UserId{1000});
  CHECK(owner(kFile, 165535) == UserId{1000});
  CHECK(owner(kFile, 165536) == UserId{1001});
  CHECK(owner(kFile, 231072) == std::nullopt);
  CHECK(owner(kFile, 400000) == UserId{1000});
  CHECK(owner(kFile, 0) == std::nullopt);
}

TEST_CASE("lines that mean nothing are left out", "[policy][subordinate_users]") {
  CHECK(owner("", 100000) == std::nullopt);
  CHECK(owner("nobody-here:100000:65536\n", 100000) == std::nullopt);
  CHECK(owner("alice:100000\nalice:x:5\nalice:100000:5x\n:100000:5\n# alice:1:5\n", 100000) ==
        std::nullopt);
  CHECK(owner("alice:100000:0\n", 100000) == std::nullopt);
  CHECK(owner("garbage\nbob:100000:5", 100004) == UserId{1001});
  CHECK(owner("alice:4294967295:4294967295\n", 4294967295U) == UserId{1000});
}

TEST_CASE("a range inside another one", "[policy][subordinate_users]") {
  constexpr std::string_view kFile = "alice:100000:1000\nbob:100010:5\n";
  CHECK(owner(kFile, 100012) == UserId{1001});
  CHECK(owner(kFile, 100500) == UserId{1000});
}

TEST_CASE("the map of a namespace tells whose it is", "[policy][subordinate_users]") {
  // The machine's own.
  CHECK(owner_by_map(UserId{1000}, "         0          0 4294967295\n") == std::nullopt);
  CHECK(owner_by_map(UserId{1000}, "") == std::nullopt);
  CHECK(owner_by_map(UserId{1000}, "nonsense\n") == std::nullopt);
  // unshare -Ur: the user itself.
  CHECK(owner_by_map(UserId{1000}, "0 1000 1\n") == UserId{1000});
  // newuidmap: the user, and its subordinate numbers.
  constexpr std::string_view kRootless =
      "         0       1000          1\n         1     100000      65536\n";
  CHECK(owner_by_map(UserId{1000}, kRootless) == UserId{1000});
  CHECK(owner_by_map(UserId{100007}, kRootless) == UserId{1000});
  CHECK(owner_by_map(UserId{7}, kRootless) == std::nullopt);
  // A container that root has made.
  CHECK(owner_by_map(UserId{100007}, "0 100000 65536\n") == UserId{100000});
}
