// A tenant with a TPM of its own has it to itself and may do with it what it likes; the daemon's
// own TPM, its other clients and the daemon itself are out of its reach.

#include <algorithm>
#include <csignal>
#include <optional>
#include <stdexcept>

#include "tests/integration/support/tenants.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

constexpr std::uint32_t kIndex = 0x01500042;
constexpr std::uint32_t kPcr = 7;

std::uint32_t code_of(RawClient& client, const Buffer& command) {
  return tpm::code(client.response(command)).value_or(~0U);
}

bool has_index(RawClient& client) {
  const auto found = tpm::handles(client.response(tpm::get_handles(0x01000000)));
  return std::ranges::find(found, kIndex) != found.end();
}

// Its TPM may be on the way up, or on the way to another one.
RawClient client_of(const Tenants& tenants, const std::string& name) {
  std::optional<RawClient> client;
  REQUIRE(eventually([&] {
    try {
      client.emplace(RawClient::context(tenants.socket(name)));
      return client->call(tpm::get_random(8)).status == Status::Success;
    } catch (const std::runtime_error&) {
      return false;
    }
  }));
  return *std::move(client);
}

// The process of the one embedded TPM that keeps nothing, or 0.
pid_t volatile_tpm(Tenants& tenants) {
  for (const pid_t process : children_of(tenants.bench->daemon().program().pid())) {
    const std::string arguments = read_file("/proc/" + std::to_string(process) + "/cmdline");
    if (arguments.contains("volatile")) return process;
  }
  return 0;
}

bool says(Tenants& tenants, const std::string& text) {
  return eventually([&] { return tenants.bench->daemon().log().contains(text); });
}

}  // namespace

TEST_CASE("a tenant's own TPM is the tenant's alone") {
  Tenants tenants(
      TenantFiles{{"web", "device = embedded\n"}, {"db", "device = embedded\n"}, {"shared", ""}});
  RawClient web = client_of(tenants, "web");
  RawClient db = client_of(tenants, "db");
  RawClient shared = client_of(tenants, "shared");
  RawClient host = tenants.bench->context();
  const Buffer before = tpm::pcr_value(host.response(tpm::pcr_read(kPcr)));

  // What users of the daemon's TPM may not.
  CHECK(code_of(web, tpm::pcr_extend(kPcr, Buffer(32, 1))) == tpm::kSuccess);
  CHECK(code_of(web, tpm::clear()) == tpm::kSuccess);
  CHECK(code_of(web, tpm::dictionary_attack_parameters(5, 60, 60)) == tpm::kSuccess);
  for (std::uint32_t i = 0; i < 8; ++i) {
    CHECK(code_of(web, tpm::nv_define(kIndex + i, 1024)) == tpm::kSuccess);
  }
  CHECK(code_of(shared, tpm::clear()) != tpm::kSuccess);

  CHECK(has_index(web));
  CHECK_FALSE(has_index(db));
  CHECK_FALSE(has_index(host));
  CHECK(tpm::pcr_value(host.response(tpm::pcr_read(kPcr))) == before);
  CHECK(tpm::pcr_value(db.response(tpm::pcr_read(kPcr))) !=
        tpm::pcr_value(web.response(tpm::pcr_read(kPcr))));
}

TEST_CASE("a tenant with its own TPM administrates no daemon and sees nobody else") {
  Tenants tenants(TenantFiles{{"web", "device = embedded\n"}});
  RawClient web = client_of(tenants, "web");
  RawClient host = tenants.bench->context();
  CHECK(web.ask(tbs::proto::RevokeAttestation{}).status == Status::AccessDenied);
  CHECK(web.ask(tbs::proto::LockoutReset{.uid = 1}).status == Status::AccessDenied);
  CHECK(web.ask(tbs::proto::OwnerAuth{.auth_type = 13}).status == Status::AccessDenied);
  const auto seen = web.ask(tbs::proto::ListContexts{}).entries;
  REQUIRE(seen.size() == 1);
  CHECK(seen.front().context == web.context_id());
  // Contexts have numbers of their own in each, so this is nobody or the tenant itself.
  const auto status = RawClient::observer(tenants.socket("web")).ask(tbs::proto::DaemonStatus{});
  CHECK(status.contexts == 1);
  const auto info = web.ask(tbs::proto::DeviceInfo{});
  CHECK(info.device == "embedded of tenant web");
}

TEST_CASE("a tenant's own TPM that stands still holds up nobody else") {
  Tenants tenants(TenantFiles{{"web", "device = embedded\n"}});
  RawClient web = client_of(tenants, "web");
  RawClient host = tenants.bench->context();
  const pid_t own = volatile_tpm(tenants);
  REQUIRE(own != 0);
  REQUIRE(::kill(own, SIGSTOP) == 0);
  web.submit(1, tpm::get_random(8));
  for (int i = 0; i < 20; ++i) CHECK(code_of(host, tpm::get_random(8)) == tpm::kSuccess);
  CHECK_FALSE(web.has_frame(std::chrono::milliseconds(0)));
  REQUIRE(::kill(own, SIGCONT) == 0);
  CHECK(web.receive_result().status == Status::Success);
  // And one that dies is brought up again.
  REQUIRE(::kill(own, SIGKILL) == 0);
  CHECK(eventually([&] { return web.call(tpm::get_random(8)).status == Status::Success; }));
  CHECK(code_of(host, tpm::get_random(8)) == tpm::kSuccess);
}

TEST_CASE("a tenant's own TPM comes, changes and goes with a reload") {
  const TempFolder folder;
  const std::string kept = "device = embedded:" + (folder / "tpm") + "\n";
  Tenants tenants(TenantFiles{{"web", kept}});
  {
    RawClient web = client_of(tenants, "web");
    REQUIRE(code_of(web, tpm::nv_define(kIndex, 8)) == tpm::kSuccess);
    tenants.write("web", kept + "objects-per-user = 2\n");
    tenants.reload();
    REQUIRE(says(tenants, "configuration reloaded"));
    CHECK(web.call(tpm::get_random(8)).status == Status::Success);

    tenants.write("web", "device = embedded\n");
    tenants.reload();
    REQUIRE(says(tenants, "tenant web: its TPM is closed"));
  }
  REQUIRE(says(tenants, "tenant web: TPM embedded of tenant web"));
  {
    RawClient web = client_of(tenants, "web");
    CHECK_FALSE(has_index(web));
    // Now the daemon's TPM.
    tenants.write("web", "");
    tenants.reload();
    const auto refusal = web.receive();
    CHECK((!refusal || refusal->type == tbs::proto::Type::Refusal));
  }
  {
    RawClient web = client_of(tenants, "web");
    CHECK(code_of(web, tpm::clear()) != tpm::kSuccess);
    tenants.write("web", kept);
    tenants.reload();
    const auto refusal = web.receive();
    CHECK((!refusal || refusal->type == tbs::proto::Type::Refusal));
  }
  RawClient web = client_of(tenants, "web");
  CHECK(has_index(web));
  CHECK(tenants.bench->stop_daemon() == 0);
}

TEST_CASE("the first own TPM waits for a restart where the filter lets no program start") {
  if (device_under_test() == DeviceKind::Embedded || sanitized()) {
    WARN("skipped: this daemon may start programs in any case");
    return;
  }
  Tenants tenants(TenantFiles{{"db", ""}});
  tenants.write("web", "device = embedded\n");
  tenants.reload();
  REQUIRE(says(tenants, "tenant web has no TPM: "));
  REQUIRE(RawClient::can_connect(tenants.socket("web")));
  CHECK_THROWS(RawClient::context(tenants.socket("web")));
  client_of(tenants, "db");
  tenants.bench->restart_daemon();
  client_of(tenants, "web");
}

TEST_CASE("many changes at once end with what the file says last") {
  Tenants tenants(TenantFiles{{"web", "device = embedded\n"}});
  RawClient first = client_of(tenants, "web");
  for (int round = 0; round < 10; ++round) {
    tenants.write("web", round % 2 == 0 ? "device = embedded12\n" : "device = embedded\n");
    tenants.reload();
  }
  client_of(tenants, "web");
  tenants.remove("web");
  tenants.reload();
  CHECK(eventually([&] { return !RawClient::can_connect(tenants.socket("web")); }));
  CHECK(tenants.bench->stop_daemon() == 0);
}
