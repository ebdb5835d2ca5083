#include "client/tbsctl/text/user_names.h"

#include <algorithm>

#include "tests/support/catch2.h"

using namespace tbs::ctl;

TEST_CASE("users and groups by name and by number", "[tbsctl][users]") {
  CHECK(parse_user("root") == 0);
  CHECK(parse_user("0x10") == 16);
  CHECK(parse_user("4000000000") == 4000000000);  // nobody needs to have it
  CHECK_FALSE(parse_user("no such user"));
  CHECK_FALSE(parse_user(""));
  CHECK_FALSE(parse_user("-1"));
  CHECK(parse_group("root") == 0);
  CHECK(parse_group("50") == 50);
  CHECK_FALSE(parse_group("no such group"));
}

TEST_CASE("a user's groups", "[tbsctl][users]") {
  CHECK(std::ranges::count(groups_of("root"), 0U) >= 1);
  CHECK(groups_of("no such user").empty());
}

TEST_CASE("a number without a user stays a number", "[tbsctl][users]") {
  UserNames users;
  CHECK(users.of(0) == "root");
  CHECK(users.of(3999999999) == "3999999999");
  CHECK(users.of(3999999999) == "3999999999");
}
