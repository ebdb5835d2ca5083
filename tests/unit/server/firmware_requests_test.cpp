#include "daemon/server/firmware_requests.h"

#include "daemon/firmware/log_type.h"
#include "daemon/firmware/owner_auth_name.h"
#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using firmware::presence_integers;
using proto::Buffer;
using proto::Event;
using proto::Status;

namespace {

const Buffer kVersion = presence_integers({1});
const Buffer kSubmitClear = presence_integers({2, 5});

Buffer bytes_of(proto::Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("the event log comes in parts", "[server][firmware]") {
  ServerBench bench;
  const auto link = bench.observer(0);
  link->send_from_client(2, proto::ReadLog{.log_type = 0, .offset = 512});
  REQUIRE(bench.firmware.logs.size() == 1);
  CHECK(bench.firmware.logs[0].first == 512);
  CHECK(link->take().empty());
  bench.firmware.logs[0].second(firmware::LogBytes{.more = true, .bytes = {1, 2, 3}});
  const auto part = link->take_only<proto::LogPart>();
  REQUIRE(part);
  CHECK(part->status == Status::Success);
  CHECK(part->more == 1);
  CHECK(bytes_of(part->bytes) == Buffer{1, 2, 3});
  link->send_from_client(3, proto::ReadLog{.log_type = 2, .offset = 515});
  CHECK(bench.firmware.logs.size() == 2);
}

TEST_CASE("what goes wrong with the log is the answer", "[server][firmware]") {
  ServerBench bench;
  const auto link = bench.observer(0);
  link->send_from_client(2, proto::ReadLog{});
  bench.firmware.logs[0].second(std::unexpected(Status::NoEventLog));
  CHECK(link->take_only<proto::LogPart>()->status == Status::NoEventLog);
  link->send_from_client(3, proto::ReadLog{.log_type = 1});
  CHECK(link->take_only<proto::LogPart>()->status == Status::NoEventLog);
  link->send_from_client(4, proto::ReadLog{.log_type = 6});
  CHECK(link->take_only<proto::LogPart>()->status == Status::BadParameter);
  bench.sink.tpm = {};
  link->send_from_client(5, proto::ReadLog{});
  CHECK(link->take_only<proto::LogPart>()->status == Status::TpmNotFound);
  CHECK(bench.firmware.logs.size() == 1);
}

TEST_CASE("users read the log where that is allowed", "[server][firmware]") {
  ServerBench bench;
  const auto link = bench.observer(1000);
  link->send_from_client(2, proto::ReadLog{});
  CHECK(link->take_only<proto::LogPart>()->status == Status::AccessDenied);
  bench.configure({}, {.everyone_reads_log = true});
  link->send_from_client(3, proto::ReadLog{});
  CHECK(bench.firmware.logs.size() == 1);
}

TEST_CASE("a physical presence request reaches the firmware", "[server][firmware]") {
  ServerBench bench;
  const auto link = bench.observer(1000);
  link->send_from_client(2, proto::PhysicalPresence{.input = kVersion});
  REQUIRE(bench.firmware.presences.size() == 1);
  CHECK(bench.firmware.presences[0].first.function == firmware::PresenceFunction::Version);
  bench.firmware.presences[0].second(Buffer{'1', '.', '3', 0});
  const auto reply = link->take_only<proto::PhysicalPresenceReply>();
  REQUIRE(reply);
  CHECK(reply->status == Status::Success);
  CHECK(bytes_of(reply->output) == Buffer{'1', '.', '3', 0});
  CHECK(bench.audit.of(Event::PresenceRequested).empty());
}

TEST_CASE("operations of the firmware are an administrator's, and are written down",
          "[server][firmware]") {
  ServerBench bench;
  const auto user = bench.observer(1000);
  user->send_from_client(2, proto::PhysicalPresence{.input = kSubmitClear});
  CHECK(user->take_only<proto::PhysicalPresenceReply>()->status == Status::AccessDenied);
  CHECK(bench.firmware.presences.empty());
  REQUIRE(bench.audit.of(Event::Denied).size() == 1);
  CHECK(bench.audit.of(Event::Denied)[0].fields.uid == 1000U);

  const auto admin = bench.observer(0);
  admin->send_from_client(2, proto::PhysicalPresence{.input = kSubmitClear});
  REQUIRE(bench.firmware.presences.size() == 1);
  CHECK(bench.firmware.presences[0].first.operation == 5);
  REQUIRE(bench.audit.of(Event::PresenceRequested).size() == 1);
  CHECK(bench.audit.of(Event::PresenceRequested)[0].fields.uid == 0U);
  CHECK(bench.audit.of(Event::PresenceRequested)[0].text.find("operation 5") != std::string::npos);
}

TEST_CASE("what is no presence request is answered so", "[server][firmware]") {
  ServerBench bench;
  const auto link = bench.observer(0);
  link->send_from_client(2, proto::PhysicalPresence{.input = presence_integers({6})});
  CHECK(link->take_only<proto::PhysicalPresenceReply>()->status == Status::PpiFunctionUnsupported);
  const Buffer odd = {1, 0, 0, 0, 9};
  link->send_from_client(3, proto::PhysicalPresence{.input = odd});
  CHECK(link->take_only<proto::PhysicalPresenceReply>()->status == Status::BadParameter);
  CHECK(bench.firmware.presences.empty());
}

TEST_CASE("the owner's authorization is an administrator's, and asking is written down",
          "[server][firmware]") {
  ServerBench bench;
  const auto user = bench.observer(1000);
  user->send_from_client(2, proto::OwnerAuth{.auth_type = 1});
  CHECK(user->take_only<proto::OwnerAuthReply>()->status == Status::AccessDenied);
  CHECK(bench.audit.of(Event::Denied).size() == 1);

  const auto admin = bench.observer(0);
  admin->send_from_client(2, proto::OwnerAuth{.auth_type = 1});
  REQUIRE(bench.firmware.owner_auths.size() == 1);
  CHECK(bench.firmware.owner_auths[0].first == "lockout");
  REQUIRE(bench.audit.of(Event::OwnerAuthRead).size() == 1);
  CHECK(bench.audit.of(Event::OwnerAuthRead)[0].text.find("'lockout'") != std::string::npos);
  bench.firmware.owner_auths[0].second(Buffer{9, 8, 7});
  CHECK(bytes_of(admin->take_only<proto::OwnerAuthReply>()->value) == Buffer{9, 8, 7});
}

TEST_CASE("a type of authorization that the family does not have", "[server][firmware]") {
  ServerBench bench;
  const auto link = bench.observer(0);
  link->send_from_client(2, proto::OwnerAuth{.auth_type = 2});
  CHECK(link->take_only<proto::OwnerAuthReply>()->status == Status::BadParameter);
  bench.sink.tpm.family = Family::Tpm12;
  link->send_from_client(3, proto::OwnerAuth{.auth_type = 2});
  CHECK(bench.firmware.owner_auths.at(0).first == "admin");
}

TEST_CASE("one question about the firmware at a time", "[server][firmware]") {
  ServerBench bench;
  const auto link = bench.observer(0);
  link->send_from_client(2, proto::ReadLog{});
  SECTION("another log") {
    link->send_from_client(3, proto::ReadLog{});
  }
  SECTION("presence") {
    link->send_from_client(3, proto::PhysicalPresence{.input = kVersion});
  }
  SECTION("owner's authorization") {
    link->send_from_client(3, proto::OwnerAuth{.auth_type = 1});
  }
  CHECK(link->closed());
  CHECK(link->take_only<proto::Refusal>()->reason == "a question before the last one was answered");
  // The answer finds nobody.
  bench.firmware.logs[0].second(firmware::LogBytes{});
}

TEST_CASE("the log of this boot is the only one that Linux has", "[server][firmware]") {
  CHECK(firmware::status_of_log_type(0) == Status::Success);
  CHECK(firmware::status_of_log_type(2) == Status::Success);
  for (const std::uint32_t type : {1U, 3U, 4U, 5U}) {
    CHECK(firmware::status_of_log_type(type) == Status::NoEventLog);
  }
  CHECK(firmware::status_of_log_type(6) == Status::BadParameter);
}

TEST_CASE("each family has authorization values of its own", "[server][firmware]") {
  CHECK(firmware::owner_auth_name(1, Family::Tpm12) == "full");
  CHECK(firmware::owner_auth_name(1, Family::Tpm20) == "lockout");
  CHECK(firmware::owner_auth_name(13, Family::Tpm20) == "storage");
  CHECK(firmware::owner_auth_name(13, Family::Tpm12).empty());
  CHECK(firmware::owner_auth_name(0, Family::Tpm20).empty());
}
