#include "daemon/server/audit.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Event;
using server::Audit;
using server::Client;

namespace {

Client client_of(std::uint64_t id, std::uint32_t uid) {
  Client client;
  client.id = id;
  client.peer.principal = principal_of(UserId{uid});
  client.peer.pid = 321;
  client.peer.program = "tool";
  return client;
}

}  // namespace

TEST_CASE("every entry says who", "[server][audit]") {
  FakeAuditLog log;
  Audit audit(log);
  const Client client = client_of(7, 1000);
  const rules::Rule rule{.origin = "a.conf:3"};
  audit.connected(client);
  audit.has_tpm_to_itself(client);
  audit.disconnected(client, "why");
  audit.no_context(client, 5, 4);
  audit.held_up(client, 70000);
  audit.out_of_memory(client);
  audit.blocked(client,
                {.effect = policy::Effect::Blocked, .rule = &rule, .command = tpm::cc::kClear});
  audit.answered_locked_out(client, tpm::cc::kNvRead);
  audit.locked_out(client, tpm::cc::kNvRead);
  audit.lockout_reset(client, "all failures");
  audit.changed_tpm(client, tpm::cc::kClear, server::Change::State, 0);
  audit.changed_tpm(client, tpm::cc::kPcrExtend, server::Change::Pcr, 16);
  audit.changed_tpm(client, tpm::cc::kNvWrite, server::Change::Nv, 0x01800001);
  audit.revoked(client, 12);
  audit.not_revoked(client, proto::Status::IoError);
  audit.presence_requested(client, 5);
  audit.owner_auth_read(client, "lockout");
  audit.denied(client, "this");
  REQUIRE(log.entries.size() == 18);
  for (const auto& entry : log.entries) {
    INFO(entry.text);
    CHECK(entry.fields.uid == 1000U);
    CHECK(entry.fields.pid == 321);
    CHECK(entry.fields.program == "tool");
    CHECK(entry.fields.context == 7U);
    CHECK(entry.text.find('{') == std::string::npos);
  }
}

TEST_CASE("changed PCRs and NV indices are named, and no line of the ordinary log",
          "[server][audit]") {
  FakeAuditLog log;
  Audit audit(log);
  const Client client = client_of(7, 1000);
  audit.changed_tpm(client, tpm::cc::kPcrExtend, server::Change::Pcr, 16);
  audit.changed_tpm(client, tpm::cc::kNvWrite, server::Change::Nv, 0x01800001);
  CHECK(log.of(Event::PcrChanged).at(0).text ==
        "tool (pid 321, uid 1000) changed PCR 16: PCR_Extend");
  CHECK(log.of(Event::PcrChanged).at(0).level == spdlog::level::debug);
  CHECK(log.of(Event::NvWritten).at(0).text ==
        "tool (pid 321, uid 1000) changed what NV index 0x1800001 holds: NV_Write");
}

TEST_CASE("an entry about a command has its code and name", "[server][audit]") {
  FakeAuditLog log;
  Audit audit(log);
  const Client client = client_of(7, 1000);
  audit.changed_tpm(client, tpm::cc::kClear, server::Change::State, 0);
  CHECK(log.entries[0].fields.command == tpm::cc::kClear);
  CHECK(log.entries[0].text == "tool (pid 321, uid 1000) changed the TPM: Clear");
  audit.answered_locked_out(client, 0x7777);
  CHECK(log.entries[1].text.find("command 0x7777 of tool") == 0);
}

TEST_CASE("an entry about a rule says where it stands", "[server][audit]") {
  FakeAuditLog log;
  Audit audit(log);
  const rules::Rule rule{.origin = "a.conf:3"};
  audit.blocked(client_of(7, 1000),
                {.effect = policy::Effect::WouldBlock, .rule = &rule, .command = tpm::cc::kClear});
  CHECK(log.entries[0].fields.rule == "a.conf:3");
  CHECK(log.entries[0].text ==
        "Clear of tool (pid 321, uid 1000) would be blocked by a rule (a.conf:3)");
}

TEST_CASE("a cancel from outside names both", "[server][audit]") {
  FakeAuditLog log;
  Audit audit(log);
  audit.canceled(client_of(7, 0), client_of(8, 1000));
  REQUIRE(log.entries.size() == 1);
  CHECK(log.entries[0].event == Event::Cancelled);
  CHECK(log.entries[0].fields.uid == 0U);
  CHECK(log.entries[0].fields.context == 8U);
  CHECK(log.entries[0].text ==
        "context 8 of tool (pid 321, uid 1000) was cancelled by tool (pid 321, uid 0)");
}
