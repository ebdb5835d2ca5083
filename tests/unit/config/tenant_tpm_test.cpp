#include "daemon/config/tenant_tpm.h"

#include <filesystem>

#include <sys/stat.h>

#include "tests/integration/support/temp_folder.h"
#include "tests/support/catch2.h"

using namespace tbs;

namespace {

Tenant tenant(const std::string& device) {
  Tenant tenant;
  tenant.name = "web";
  tenant.device = device;
  tenant.limits.contexts_per_user = 3;
  return tenant;
}

}  // namespace

TEST_CASE("a tenant's TPM is run as the daemon's, but for what is the machine's",
          "[config][tenant]") {
  Config daemon;
  daemon.share = ShareMode::Exclusive;
  daemon.admin_group = "adm";
  daemon.admin_gid = 4;
  daemon.raw_contexts = true;
  const Config config = config::config_of(daemon, tenant("embedded"));
  CHECK(config.device == "embedded");
  CHECK(config.share == ShareMode::Exclusive);
  CHECK(config.state_dir == "/var/lib/tbs/tenants/web");
  CHECK(config.limits.contexts_per_user == 3);
  CHECK(config.event_log == "none");
  CHECK(config.ppi == "none");
  CHECK(config.admin_group.empty());
  CHECK_FALSE(config.raw_contexts);
  daemon.state_dir.clear();
  CHECK(config::config_of(daemon, tenant("embedded")).state_dir.empty());
}

TEST_CASE("folders are made for tenants with a TPM alone", "[config][tenant]") {
  const test::TempFolder folder;
  Config daemon;
  daemon.state_dir = folder.path();
  daemon.tenants = {tenant("")};
  CHECK(config::make_tenant_folders(daemon).empty());
  CHECK_FALSE(std::filesystem::exists(folder / "tenants"));
  daemon.tenants = {tenant("embedded")};
  for (int round = 0; round < 2; ++round) CHECK(config::make_tenant_folders(daemon).empty());
  struct stat info{};
  REQUIRE(::stat((folder / "tenants/web").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  daemon.state_dir = folder / "missing";
  CHECK(config::make_tenant_folders(daemon).size() == 1);
}

TEST_CASE("an embedded TPM is a program that is started", "[config][tenant]") {
  Config daemon;
  CHECK_FALSE(config::starts_programs(daemon));
  daemon.tenants = {tenant("")};
  CHECK_FALSE(config::starts_programs(daemon));
  daemon.tenants = {tenant("embedded")};
  CHECK(config::starts_programs(daemon));
  daemon.tenants.clear();
  daemon.device = "embedded:/x";
  CHECK(config::starts_programs(daemon));
}
