// What the sockets give: to root in a container that has everybody's socket nothing that a user
// does not have, to one that has a tenant's socket that tenant, and administration only on the
// administrators' own.

#include "tests/integration/support/container.h"

#include <csignal>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/tenant_name.h"
#include "proto/service_codes.h"
#include "tests/integration/support/other_user.h"
#include "tests/integration/support/tenants.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/integration/support/unix_socket.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

constexpr std::uint32_t kBlocked = tbs::proto::service::kCommandBlocked;
constexpr std::uint32_t kStorageAuth = 13;  // TBS_OWNERAUTH_TYPE_STORAGE_20

bool is_blocked(RawClient& client, const Buffer& command) {
  return tpm::code(client.call(command).response) == kBlocked;
}

Buffer clear_by_platform() {
  Buffer command = tpm::clear();
  // The first handle.
  command[13] = TPM2_RH_PLATFORM & 0xFF;
  return command;
}

Status with_locality(RawClient& client, std::uint32_t locality) {
  const Buffer command = tpm::get_random(8);
  client.send(7, tbs::proto::Submit{.locality = locality, .command = command});
  return client.receive_result().status;
}

// Physical presence, function 2: submit an operation.
Status presence(RawClient& client) {
  const Buffer input = {2, 0, 0, 0, 5, 0, 0, 0};
  client.send(8, tbs::proto::PhysicalPresence{.input = input});
  const auto received = client.receive();
  if (!received) return Status::InternalError;
  const auto reply = tbs::proto::decode<tbs::proto::PhysicalPresenceReply>(received->payload);
  return reply ? reply->status : Status::InternalError;
}

Status owner_auth(RawClient& client) {
  client.send(9, tbs::proto::OwnerAuth{.auth_type = kStorageAuth});
  const auto received = client.receive();
  if (!received) return Status::InternalError;
  const auto reply = tbs::proto::decode<tbs::proto::OwnerAuthReply>(received->payload);
  return reply ? reply->status : Status::InternalError;
}

std::optional<tbs::proto::ContextEntry> own_entry(RawClient& client) {
  const auto list = client.ask(tbs::proto::ListContexts{.after = client.context_id() - 1});
  if (list.entries.empty()) return std::nullopt;
  return list.entries.front();
}

// What an administrator may: each attempt that succeeds has a number of its own.
int administrate(const std::string& socket, std::uint64_t others_context) {
  using namespace tbs::proto;
  RawClient client = RawClient::context(socket);
  if (client.call(tpm::get_random(8)).status != Status::Success) return 1;
  if (client.ask(RevokeAttestation{}).status != Status::AccessDenied) return 2;
  if (client.ask(LockoutReset{.uid = tbs::proto::kNobody}).status != Status::AccessDenied) return 3;
  if (owner_auth(client) != Status::AccessDenied) return 4;
  if (presence(client) != Status::AccessDenied) return 5;
  if (with_locality(client, 2) != Status::AccessDenied) return 6;
  if (!is_blocked(client, tpm::clear())) return 7;
  if (!is_blocked(client, clear_by_platform())) return 8;
  const auto cancel = client.ask(CancelContext{.context = others_context});
  if (cancel.status != Status::AccessDenied) return 9;
  if (client.call(tpm::get_random(8), kMax).status != Status::Success) return 10;
  const auto entry = own_entry(client);
  return entry && entry->priority == kHigh ? 0 : 11;
}

}  // namespace

TEST_CASE("root in a container with everybody's socket is a user") {
  if (!can_become_nobody()) return;
  TestBench bench;
  RawClient victim = bench.context();
  for (const Capabilities capabilities : {Capabilities::None, Capabilities::All}) {
    CHECK(in_container(bench.everybodys_socket(), capabilities, [&](const std::string& socket) {
            return administrate(socket, victim.context_id());
          }) == 0);
  }
  // And so is root outside of any.
  CHECK(administrate(bench.everybodys_socket(), victim.context_id()) == 0);
  // The test can fail: on the administrators' socket the first attempt succeeds.
  CHECK(in_container(bench.daemon().admin_socket(), Capabilities::None,
                     [&](const std::string& socket) {
                       return administrate(socket, victim.context_id());
                     }) == 2);
}

TEST_CASE("the administrators' socket is closed to others") {
  if (!can_become_nobody()) return;
  TestBench bench;
  struct stat info{};
  REQUIRE(::stat(bench.daemon().admin_socket().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(as_nobody([&] { return RawClient::can_connect(bench.daemon().admin_socket()) ? 1 : 0; }) ==
        0);
  // Nor is who may open it all the same an administrator by that.
  REQUIRE(::chmod(bench.daemon().admin_socket().c_str(), 0666) == 0);
  CHECK(as_nobody([&] { return administrate(bench.daemon().admin_socket(), 0) == 9 ? 0 : 1; }) ==
        0);
}

TEST_CASE("there need be no administrators") {
  TestBench bench({.arguments = {"--admin-socket=none"}, .administrators = false});
  CHECK_FALSE(std::filesystem::exists(bench.folder() / "admin.sock"));
  CHECK(bench.context().ask(tbs::proto::LockoutReset{.uid = 1}).status == Status::AccessDenied);
}

TEST_CASE("a socket that systemd hands over gives what its name says") {
  TempFolder folder;
  for (const std::string name : {"admin", "everybody", "tenant-web", "unknown", "Admin"}) {
    const std::string path = folder / (name + "-socket");
    const int listening = listen_on(path);
    DaemonProcess daemon(folder, {.device = "embedded",
                                  .arguments = {"--tenants-dir=/no/tenants"},
                                  .environment = {"LISTEN_FDNAMES=" + name},
                                  .listening = listening,
                                  .name = name});
    RawClient client = RawClient::context(path);
    INFO(name);
    const Status expected =
        name == "admin" && ::getuid() == 0 ? Status::Success : Status::AccessDenied;
    CHECK(client.ask(tbs::proto::LockoutReset{.uid = 1}).status == expected);
    CHECK((own_entry(client)->uid >= tbs::proto::kFirstTenantNumber) == (name == "tenant-web"));
    CHECK(daemon.stop() == 0);
    ::close(listening);
  }
}

TEST_CASE("root in a container with a tenant's socket is that tenant") {
  if (!can_become_nobody()) return;
  Tenants tenants(TenantFiles{{"web", ""}, {"db", "mode = 0666\n"}});
  RawClient db = RawClient::context(tenants.socket("db"));
  const std::uint32_t number = tbs::shown_number(tbs::tenant_user("web"));
  for (const Capabilities capabilities : {Capabilities::None, Capabilities::All}) {
    CHECK(in_container(tenants.socket("web"), capabilities, [&](const std::string& socket) {
            RawClient client = RawClient::context(socket);
            const auto entry = own_entry(client);
            if (!entry || entry->uid != number) return 100;
            return administrate(socket, db.context_id());
          }) == 0);
  }
  // Whoever connects: the socket speaks for the tenant.
  CHECK(as_nobody([&] {
          RawClient first = RawClient::context(tenants.socket("db"));
          const auto entry = own_entry(first);
          return entry && entry->uid == tbs::shown_number(tbs::tenant_user("db")) ? 0 : 1;
        }) == 0);
  CHECK(as_nobody([&] { return RawClient::can_connect(tenants.socket("web")) ? 1 : 0; }) == 0);
}

TEST_CASE("tenants neither cancel nor use what is each other's") {
  Tenants tenants(TenantFiles{{"web", ""}, {"db", ""}});
  TestBench& bench = *tenants.bench;
  RawClient web = RawClient::context(tenants.socket("web"));
  RawClient second_web = RawClient::context(tenants.socket("web"));
  RawClient db = RawClient::context(tenants.socket("db"));
  const auto cancel = [](RawClient& by, const RawClient& target) {
    return by.ask(tbs::proto::CancelContext{.context = target.context_id()}).status;
  };
  CHECK(cancel(web, db) == Status::AccessDenied);
  CHECK(cancel(web, second_web) == Status::Success);
  RawClient user(bench.everybodys_socket());
  user.hello(tbs::proto::Role::Context);
  CHECK(cancel(user, db) == Status::AccessDenied);
  CHECK(cancel(db, user) == Status::AccessDenied);
  const auto key = tpm::handle(web.response(tpm::create_primary_ecc()));
  CHECK(tpm::code(db.call(tpm::read_public(key)).response) != tpm::kSuccess);
  CHECK(tpm::code(second_web.call(tpm::read_public(key)).response) != tpm::kSuccess);
}

TEST_CASE("a tenant has no more than its file gives it") {
  Tenants tenants(
      TenantFiles{{"web", "max-contexts-per-user = 2\nobjects-per-user = 2\n"}, {"db", ""}});
  RawClient first = RawClient::context(tenants.socket("web"));
  RawClient second = RawClient::context(tenants.socket("web"));
  CHECK(RawClient(tenants.socket("web")).hello(tbs::proto::Role::Context).status ==
        Status::TooManyContexts);
  CHECK(tpm::code(first.call(tpm::create_primary_ecc()).response) == tpm::kSuccess);
  CHECK(tpm::code(second.call(tpm::create_primary_ecc()).response) == tpm::kSuccess);
  CHECK(tpm::code(second.call(tpm::create_primary_ecc()).response) != tpm::kSuccess);
  RawClient db = RawClient::context(tenants.socket("db"));
  for (int i = 0; i < 3; ++i) {
    CHECK(tpm::code(db.call(tpm::create_primary_ecc()).response) == tpm::kSuccess);
  }
}

TEST_CASE("a tenant's quotas hold for what stays on the TPM as well") {
  Tenants tenants(TenantFiles{{"web", "nv-indices-per-user = 1\npersistent-per-user = 0\n"}});
  RawClient web = RawClient::context(tenants.socket("web"));
  const auto code_of = [&web](const Buffer& command) {
    return tpm::code(web.call(command).response);
  };
  CHECK(code_of(tpm::nv_define(0x01500001, 8)) == tpm::kSuccess);
  CHECK(code_of(tpm::nv_define(0x01500002, 8)) != tpm::kSuccess);
  const auto key = tpm::handle(web.response(tpm::create_primary_ecc()));
  CHECK(code_of(tpm::evict_control(key, 0x81000001)) != tpm::kSuccess);
}

TEST_CASE("rules know a tenant") {
  const TempFolder rules;
  write_file(rules / "10.conf", "block everybody command GetRandom tenant web\n");
  Tenants tenants(TenantFiles{{"web", ""}, {"db", ""}}, {"--policy-dir=" + rules.path()});
  RawClient web = RawClient::context(tenants.socket("web"));
  RawClient db = RawClient::context(tenants.socket("db"));
  RawClient user = RawClient::context(tenants.bench->everybodys_socket());
  CHECK(tpm::code(web.call(tpm::get_random(8)).response) == kBlocked);
  CHECK(tpm::code(db.call(tpm::get_random(8)).response) == tpm::kSuccess);
  CHECK(tpm::code(user.call(tpm::get_random(8)).response) == tpm::kSuccess);
}

TEST_CASE("tenants come and go with a reload") {
  Tenants tenants(TenantFiles{{"web", ""}});
  RawClient web = RawClient::context(tenants.socket("web"));
  tenants.write("db", "");
  tenants.reload();
  REQUIRE(eventually([&] { return RawClient::can_connect(tenants.socket("db")); }));
  CHECK(web.call(tpm::get_random(8)).status == Status::Success);
  tenants.remove("web");
  tenants.reload();
  const auto refusal = web.receive();
  REQUIRE(refusal);
  CHECK(refusal->type == tbs::proto::Type::Refusal);
  CHECK_FALSE(RawClient::can_connect(tenants.socket("web")));
  CHECK(RawClient::context(tenants.socket("db")).call(tpm::get_random(8)).status ==
        Status::Success);
  // A mistake changes nothing.
  tenants.write("db", "colour = red\n");
  tenants.reload();
  CHECK(eventually([&] { return tenants.bench->daemon().log().contains("db.conf:2: "); }));
  CHECK(RawClient::can_connect(tenants.socket("db")));
}
