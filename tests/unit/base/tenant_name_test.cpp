#include "daemon/base/tenant_name.h"

#include <string>

#include "tests/support/catch2.h"

using namespace tbs;

TEST_CASE("names of tenants", "[base][tenant]") {
  for (const char* const name : {"a", "web-1", "A_b", "0"}) CHECK(is_tenant_name(name));
  CHECK(is_tenant_name(std::string(63, 'a')));
  CHECK_FALSE(is_tenant_name(std::string(64, 'a')));
  for (const char* const name : {"", "-a", "a b", "a/b", "..", "a.b", "a\n", "\xc3\xa9"}) {
    CHECK_FALSE(is_tenant_name(name));
  }
}

TEST_CASE("no uid is a tenant", "[base][tenant]") {
  for (const char* const name : {"web", "db", ""}) {
    CHECK(is_tenant(tenant_user(name)));
    CHECK(shown_number(tenant_user(name)) >= kFirstTenantNumber);
    CHECK(UserId{shown_number(tenant_user(name))} != tenant_user(name));
    CHECK(account_of(tenant_user(name)) != account_of(UserId{shown_number(tenant_user(name))}));
  }
  CHECK_FALSE(is_tenant(UserId{0}));
  CHECK_FALSE(is_tenant(UserId{0xffffffff}));
}

TEST_CASE("a tenant keeps its number", "[base][tenant]") {
  // What is stored across restarts goes by it.
  CHECK(shown_number(tenant_user("web")) == 2413411473U);
}
