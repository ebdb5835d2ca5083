// Tenants as the server's clients meet them: what each may have and do, and who they are for
// others.

#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Status;

namespace {

std::shared_ptr<server::SocketProfile> profile_of(const std::string& tenant) {
  auto profile = std::make_shared<server::SocketProfile>();
  profile->tenant = tenant;
  return profile;
}

class TenantBench : public ServerBench {
 public:
  TenantBench() { server.set_tenants({web, db}); }

  std::shared_ptr<FakeLink> context_of(const server::SharedProfile& tenant, std::uint32_t uid = 0) {
    socket = tenant;
    return context(uid);
  }

  std::shared_ptr<server::SocketProfile> web = profile_of("web");
  std::shared_ptr<server::SocketProfile> db = profile_of("db");
};

Status cancel(FakeLink& link, const FakeLink& target) {
  link.send_from_client(2, proto::CancelContext{.context = target.id()});
  return link.take_only<proto::CancelContextReply>()->status;
}

}  // namespace

TEST_CASE("tenants cancel their own contexts and nobody else's", "[server][tenants]") {
  TenantBench bench;
  const auto web = bench.context_of(bench.web);
  const auto other_web = bench.context_of(bench.web, 33);
  const auto db = bench.context_of(bench.db);
  const auto user = bench.context_of(server::everybodys_profile());
  const auto admin = bench.context_of(server::administrators_profile());
  CHECK(cancel(*web, *other_web) == Status::Success);
  CHECK(cancel(*web, *db) == Status::AccessDenied);
  CHECK(cancel(*web, *user) == Status::AccessDenied);
  CHECK(cancel(*user, *web) == Status::AccessDenied);
  CHECK(cancel(*admin, *web) == Status::Success);
  // Nor does root on everybody's socket what is of root on the administrators'.
  CHECK(cancel(*user, *admin) == Status::AccessDenied);
}

TEST_CASE("listings show a tenant's number, and who asks is told its name", "[server][tenants]") {
  TenantBench bench;
  const auto web = bench.context_of(bench.web);
  web->send_from_client(2, proto::ListContexts{});
  const auto contexts = web->take_only<proto::ContextList>();
  REQUIRE(contexts->entries.size() == 1);
  CHECK(contexts->entries[0].uid == shown_number(tenant_user("web")));
  web->send_from_client(3, proto::ListTenants{});
  const auto tenants = web->take_only<proto::TenantList>();
  REQUIRE(tenants->entries.size() == 2);
  CHECK(tenants->entries[0].number == contexts->entries[0].uid);
  CHECK(tenants->entries[0].name == "web");
}

TEST_CASE("a tenant has the contexts that its file gives it", "[server][tenants]") {
  TenantBench bench;
  bench.web->limits = policy::Limits{.contexts_per_user = 1};
  const auto first = bench.context_of(bench.web);
  bench.socket = bench.web;
  const auto second = bench.connect(1000);
  second->send_from_client(1, proto::Hello{.wanted = proto::kWantTpm20});
  CHECK(second->take_only<proto::HelloReply>()->status == Status::TooManyContexts);
  const auto& entries = bench.audit.of(proto::Event::Admission);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].fields.tenant == "web");
  CHECK(entries[0].fields.uid == 1000U);
  CHECK(entries[0].text.find("tenant web") != std::string::npos);
  // Another's are not counted.
  bench.socket = bench.db;
  const auto other = bench.connect(0);
  other->send_from_client(1, proto::Hello{.wanted = proto::kWantTpm20});
  CHECK(other->take_only<proto::HelloReply>()->status == Status::Success);
}

TEST_CASE("clients of a tenant that is no more are disconnected", "[server][tenants]") {
  TenantBench bench;
  const auto web = bench.context_of(bench.web);
  const auto db = bench.context_of(bench.db);
  const auto user = bench.context_of(server::everybodys_profile());
  bench.server.set_tenants({bench.db});
  CHECK(web->closed());
  CHECK_FALSE(db->closed());
  CHECK_FALSE(user->closed());
}

TEST_CASE("root is no administrator on everybody's socket or a tenant's", "[server][tenants]") {
  TenantBench bench;
  for (const server::SharedProfile& socket :
       {server::everybodys_profile(), server::SharedProfile(bench.web)}) {
    const auto link = bench.context_of(socket);
    link->send_from_client(2, proto::LockoutReset{.uid = proto::kNobody});
    CHECK(link->take_only<proto::LockoutResetReply>()->status == Status::AccessDenied);
    link->send_from_client(3, proto::RevokeAttestation{});
    CHECK(link->take_only<proto::RevokeAttestationReply>()->status == Status::AccessDenied);
  }
}

TEST_CASE("an administrator lets a tenant try again by its number", "[server][tenants]") {
  TenantBench bench;
  policy::AuthorizationGuard& guard = bench.guard;
  const std::string failures =
      std::to_string(static_cast<std::uint64_t>(tenant_user("web"))) + " 1700000000\n";
  guard.restore(failures, [](const std::string&) {});
  REQUIRE(guard.entries().size() == 1);
  const auto admin = bench.context_of(server::administrators_profile());
  admin->send_from_client(2, proto::LockoutReset{.uid = shown_number(tenant_user("web"))});
  CHECK(admin->take_only<proto::LockoutResetReply>()->status == Status::Success);
  CHECK(guard.entries().empty());
}
