#include "daemon/config/tenant.h"

#include "daemon/base/tenant_name.h"
#include "daemon/build_features.h"
#include "tests/support/catch2.h"

using namespace tbs;

namespace {

constexpr const char* kDevice = "/dev/tpm0";

std::expected<Tenant, std::string> parsed(std::string_view text, const std::string& name = "web") {
  return parse_tenant(name, "web.conf", text, {});
}

}  // namespace

TEST_CASE("an empty file is a tenant with what every user has", "[config][tenant]") {
  const auto tenant = parsed("");
  REQUIRE(tenant);
  CHECK(tenant->name == "web");
  CHECK(tenant->origin == "web.conf");
  CHECK(tenant->socket.empty());
  CHECK_FALSE(tenant->mode);
  CHECK(tenant->limits.contexts_per_user == policy::Limits{}.contexts_per_user);
  CHECK(tenant->device.empty());
}

TEST_CASE("what a tenant's file can say", "[config][tenant]") {
  const auto tenant = parsed(
      "# a comment\n; another\n\n"
      "socket = /srv/web/tbs.sock\r\n"
      "mode=0660\n group = \"www\"\nrole = 'builders'\n"
      "max-contexts-per-user = 8\nsessions-per-user = 4\nobjects-per-context = 2");
  REQUIRE(tenant);
  CHECK(tenant->socket == "/srv/web/tbs.sock");
  CHECK(tenant->mode == 0660);
  CHECK(tenant->group == "www");
  CHECK(tenant->role == "builders");
  CHECK(tenant->limits.contexts_per_user == 8);
  CHECK(tenant->limits.sessions_per_user == 4);
  CHECK(tenant->limits.objects_per_context == 2);
  CHECK(tenant->limits.objects_per_user == policy::Limits{}.objects_per_user);
}

TEST_CASE("a mistake is told with its file and line", "[config][tenant]") {
  for (const std::string line :
       {"nonsense", "colour = red", "mode = 0888", "mode = 10000", "mode =", "socket = tbs.sock",
        "socket =", "max-contexts-per-user = 0", "max-contexts-per-user = x",
        "max-contexts-per-user = 513", "max-contexts = 1", "max-backlog = 64",
        "orphan-lifetime = 5", "= 5", "device = /dev/tpm0", "device = swtpm:path=/run/tpm",
        "device = nonsense", "device ="}) {
    const auto tenant = parsed("\n" + line + "\n");
    INFO(line);
    REQUIRE_FALSE(tenant);
    CHECK(tenant.error().starts_with("web.conf:2: "));
  }
  CHECK_FALSE(parsed("", "a.b"));
  CHECK_FALSE(parsed(std::string(kMaxTenantText + 1, '\n')));
}

TEST_CASE("tenants must differ in their numbers and sockets", "[config][tenant]") {
  std::vector<Tenant> tenants = {*parsed("socket = /a", "one"), *parsed("socket = /b", "two")};
  CHECK(check_together(tenants, kDevice));
  tenants[1].socket = "/a";
  CHECK_FALSE(check_together(tenants, kDevice));
  tenants[1].socket = "";
  CHECK(check_together(tenants, kDevice));
  tenants.push_back(tenants[0]);
  tenants.back().socket = "";
  CHECK_FALSE(check_together(tenants, kDevice));
  CHECK_FALSE(check_together(std::vector<Tenant>(kMaxTenants + 1), kDevice));
}

TEST_CASE("a tenant can have an embedded TPM of its own", "[config][tenant]") {
  if (!kHasEmbeddedTpm) {
    CHECK_FALSE(parsed("device = embedded"));
    return;
  }
  CHECK(parsed("device = embedded")->device == "embedded");
  CHECK(parsed("device = 'embedded12:/srv/tpm'")->device == "embedded12:/srv/tpm");
}

TEST_CASE("TPMs cannot share a folder", "[config][tenant]") {
  if (!kHasEmbeddedTpm) return;
  const std::vector<Tenant> same = {*parsed("device = embedded:/srv/tpm", "one"),
                                    *parsed("device = embedded12:/srv//./tpm/", "two")};
  CHECK_FALSE(check_together(same, kDevice));
  CHECK(check_together({same[0]}, kDevice));
  CHECK_FALSE(check_together({same[0]}, "embedded:/srv/tpm"));
  CHECK(check_together({*parsed("device = embedded", "one"), *parsed("device = embedded", "two")},
                       "embedded"));
}
