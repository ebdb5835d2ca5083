#include "daemon/server/command_requests.h"

#include "proto/rules/rules_parser.h"
#include "proto/service_codes.h"
#include "proto/tpm/constants.h"
#include "proto/tpm/response_code.h"
#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Event;
using proto::Status;

namespace {

const proto::Buffer kGetRandom = tpm_message(tpm::cc::kGetRandom);
const proto::Buffer kClear = tpm_message(tpm::cc::kClear);

void submit(FakeLink& link, std::uint64_t id, const proto::Buffer& command,
            std::uint32_t priority = 200, std::uint32_t locality = 0) {
  link.send_from_client(
      id, proto::Submit{.locality = locality, .priority = priority, .command = command});
}

Status result(FakeLink& link) {
  return link.take_only<proto::Result>()->status;
}

void set_rules(ServerBench& bench, const std::string& text) {
  const std::vector<rules::Source> sources = {{.name = "a.conf", .text = text}};
  bench.server.set_rules(rules::parse_rules(sources).value());
}

// Authorized with a password session without a password.
proto::Buffer authorized(std::uint32_t code) {
  return tpm_message(code, {tpm::kRhOwner, 9, tpm::kPasswordSession, 0}, tpm::kTagSessions);
}

}  // namespace

TEST_CASE("a command goes to the sink, and its answer to the client", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  submit(*link, 77, kGetRandom, 250);
  REQUIRE(bench.sink.outstanding.size() == 1);
  const ClientCommand& queued = *bench.sink.outstanding.front();
  CHECK(queued.context() == ContextId{link->id()});
  CHECK(queued.request() == RequestId{77});
  CHECK(queued.requester().user == UserId{1000});
  CHECK_FALSE(queued.requester().is_administrator());
  CHECK(queued.priority() == 250);
  CHECK(queued.locality() == 0);
  CHECK(std::ranges::equal(queued.bytes(), kGetRandom));
  CHECK(link->take().empty());

  bench.sink.answer(tpm_message(0, {5}));
  const auto& received = link->take();
  REQUIRE(received.size() == 1);
  CHECK(received[0].request_id == 77);
  const auto reply = received[0].as<proto::Result>();
  CHECK(reply->status == Status::Success);
  CHECK(proto::Buffer(reply->response.begin(), reply->response.end()) == tpm_message(0, {5}));
  CHECK(bench.server.backlog().total() == 0);
}

TEST_CASE("an error of the device is an answer without a response", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  submit(*link, 2, kGetRandom);
  bench.sink.answer({}, Status::IoError);
  const auto reply = link->take_only<proto::Result>();
  CHECK(reply->status == Status::IoError);
  CHECK(reply->response.empty());
}

TEST_CASE("users are capped at HIGH, silently", "[server][commands]") {
  ServerBench bench;
  submit(*bench.context(1000), 2, kGetRandom, 0x80000000);
  submit(*bench.context(0), 2, kGetRandom, 0x80000000);
  CHECK(bench.sink.outstanding[0]->priority() == 300);
  CHECK(bench.sink.outstanding[1]->priority() == 0x80000000);
  CHECK(bench.sink.outstanding[1]->requester().is_administrator());
}

TEST_CASE("what is no TPM command is not submitted", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  auto wrong_size = kGetRandom;
  wrong_size[5] = 11;
  submit(*link, 2, wrong_size);
  CHECK(result(*link) == Status::BadParameter);
  submit(*link, 3, tpm_message(tpm::cc::kGetRandom, std::vector<std::uint32_t>(1022)));
  CHECK(result(*link) == Status::BufferTooLarge);
  submit(*link, 4, kGetRandom);
  CHECK(bench.sink.outstanding.size() == 1);
}

TEST_CASE("localities are an administrator's, where the device has them", "[server][commands]") {
  ServerBench bench;
  const auto admin = bench.context(0);
  const auto user = bench.context(1000);
  submit(*admin, 2, kGetRandom, 200, 1);
  CHECK(result(*admin) == Status::BadParameter);
  bench.sink.view.localities = true;
  submit(*admin, 3, kGetRandom, 200, 4);
  REQUIRE(bench.sink.outstanding.size() == 1);
  CHECK(bench.sink.outstanding[0]->locality() == 4);
  submit(*admin, 4, kGetRandom, 200, 5);
  CHECK(result(*admin) == Status::BadParameter);
  submit(*admin, 5, kGetRandom, 200, 256);
  CHECK(result(*admin) == Status::BadParameter);
  submit(*user, 2, kGetRandom, 200, 1);
  CHECK(result(*user) == Status::AccessDenied);
}

TEST_CASE("a request id that is outstanding cannot be used again", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  submit(*link, 2, kGetRandom);
  bench.sink.answer(tpm_message(0));
  submit(*link, 2, kGetRandom);
  CHECK_FALSE(link->closed());
  submit(*link, 2, kGetRandom);
  CHECK(link->closed());
  CHECK(bench.sink.outstanding.empty());
}

TEST_CASE("no more than the window and one are read", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  for (std::uint64_t id = 2; id < 50; ++id) submit(*link, id, kGetRandom);
  CHECK(bench.sink.outstanding.size() == proto::kMaxOutstanding);
  bench.sink.answer(tpm_message(0));
  CHECK(bench.sink.outstanding.size() == proto::kMaxOutstanding);
  while (!bench.sink.outstanding.empty()) bench.sink.answer(tpm_message(0));
  CHECK(link->take().size() == 48);
}

TEST_CASE("a cancel reaches the context, and is answered last", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  const auto other = bench.context(1000);
  submit(*link, 2, kGetRandom);
  submit(*other, 2, kGetRandom);
  link->send_from_client(3, proto::Cancel{});
  CHECK(bench.sink.canceled == std::vector{ContextId{link->id()}});
  const auto& received = link->take();
  REQUIRE(received.size() == 2);
  CHECK(received[0].as<proto::Result>()->status == Status::CommandCanceled);
  CHECK(received[1].as<proto::CancelReply>()->status == Status::Success);
  CHECK(bench.sink.outstanding.size() == 1);
}

TEST_CASE("a cancel of one command reaches that of its context alone", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  const auto other = bench.context(1000);
  for (const auto& each : {link, other}) {
    submit(*each, 2, kGetRandom);
    submit(*each, 3, kGetRandom);
  }
  link->send_from_client(4, proto::CancelCommand{.request = 3});
  const auto& received = link->take();
  REQUIRE(received.size() == 2);
  CHECK(received[0].request_id == 3);
  CHECK(received[0].as<proto::Result>()->status == Status::CommandCanceled);
  CHECK(received[1].request_id == 4);
  CHECK(received[1].as<proto::CancelCommandReply>()->status == Status::Success);
  CHECK(bench.sink.outstanding.size() == 3);
  // One that has been answered, and one that never was.
  for (const std::uint64_t request : {3U, 99U}) {
    link->send_from_client(5, proto::CancelCommand{.request = request});
    CHECK(link->take_only<proto::CancelCommandReply>()->status == Status::Success);
  }
  CHECK(bench.sink.outstanding.size() == 3);
  CHECK(other->take().empty());
}

TEST_CASE("an observer submits and cancels nothing", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.observer(1000);
  submit(*link, 2, kGetRandom);
  CHECK(link->closed());
  CHECK(link->take_only<proto::Refusal>()->status == Status::InvalidContext);
  CHECK(bench.sink.outstanding.empty());
}

TEST_CASE("an answer that comes too late finds nobody", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  const auto other = bench.context(1001);
  submit(*link, 2, kGetRandom);
  const auto context = ContextId{link->id()};
  link->hang_up();
  for (const ContextId late : {context, ContextId{other->id()}}) {
    bench.server.deliver(sched::Answer{.context = late,
                                       .request = RequestId{2},
                                       .status = Status::Success,
                                       .response = tpm_message(0)});
  }
  CHECK(link->take().empty());
  CHECK(other->take().empty());
}

TEST_CASE("short of memory, commands fail one by one", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.context(0);
  bench.environment.short_of_memory = true;
  submit(*link, 2, kGetRandom);
  CHECK(result(*link) == Status::TooManyResources);
  link->send_from_client(3, proto::RevokeAttestation{});
  CHECK(link->take_only<proto::RevokeAttestationReply>()->status == Status::TooManyResources);
  CHECK(bench.audit.of(Event::Memory).size() == 2);
  bench.environment.short_of_memory = false;
  submit(*link, 4, kGetRandom);
  CHECK(bench.sink.outstanding.size() == 1);
}

TEST_CASE("a blocked command is answered without the TPM", "[server][commands]") {
  ServerBench bench;
  set_rules(bench, "block user command Clear\n");
  const auto user = bench.context(1000);
  submit(*user, 2, kClear);
  const auto reply = user->take_only<proto::Result>();
  CHECK(reply->status == Status::Success);
  CHECK(proto::read_tpm_header(reply->response)->code == proto::service::kCommandBlocked);
  CHECK(bench.sink.outstanding.empty());
  const auto entries = bench.audit.of(Event::Blocked);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].fields.command == tpm::cc::kClear);
  CHECK(entries[0].fields.rule == "a.conf:1");
  CHECK(entries[0].text.find("was blocked by a rule") != std::string::npos);
  submit(*bench.context(0), 2, kClear);
  CHECK(bench.sink.outstanding.size() == 1);
}

TEST_CASE("a user who starts the TPM is answered without it, and nothing is reported",
          "[server][commands]") {
  ServerBench bench;
  set_rules(bench, "");
  const auto user = bench.context(1000);
  submit(*user, 2, tpm_message(tpm::cc::kStartup));
  const auto reply = user->take_only<proto::Result>();
  CHECK(reply->status == Status::Success);
  CHECK(proto::read_tpm_header(reply->response)->code == tpm::rc::kInitialize);
  CHECK(bench.sink.outstanding.empty());
  CHECK(bench.audit.of(Event::Blocked).empty());
  submit(*bench.context(0), 2, tpm_message(tpm::cc::kStartup));
  CHECK(bench.sink.outstanding.size() == 1);
}

TEST_CASE("a rule that is tried out lets the command pass and says so", "[server][commands]") {
  ServerBench bench;
  set_rules(bench, "dry-run yes\nblock user command Clear\n");
  submit(*bench.context(1000), 2, kClear);
  CHECK(bench.sink.outstanding.size() == 1);
  REQUIRE(bench.audit.of(Event::Blocked).size() == 1);
  CHECK(bench.audit.of(Event::Blocked)[0].text.find("would be blocked") != std::string::npos);
}

TEST_CASE("new rules hold for who is connected", "[server][commands]") {
  ServerBench bench;
  const auto user = bench.context(1000);
  set_rules(bench, "block user command Clear\n");
  submit(*user, 2, kClear);
  CHECK(bench.sink.outstanding.empty());
}

TEST_CASE("who changes the TPM for everybody is written down", "[server][commands]") {
  ServerBench bench;
  const auto link = bench.context(0);
  submit(*link, 2, kClear);
  bench.sink.answer(tpm_message(tpm::rc::kRetry));
  CHECK(bench.audit.of(Event::StateChanged).empty());
  submit(*link, 3, kClear);
  bench.sink.answer({}, Status::CommandCanceled);
  CHECK(bench.audit.of(Event::StateChanged).empty());
  submit(*link, 4, kClear);
  bench.sink.answer(tpm_message(0));
  REQUIRE(bench.audit.of(Event::StateChanged).size() == 1);
  CHECK(bench.audit.of(Event::StateChanged)[0].fields.command == tpm::cc::kClear);
  submit(*link, 5, kGetRandom);
  bench.sink.answer(tpm_message(0));
  CHECK(bench.audit.of(Event::StateChanged).size() == 1);
}

TEST_CASE("who is locked out is answered in the TPM's place", "[server][commands]") {
  ServerBench bench;
  bench.guard.set_limits({.window = 3600, .per_user = 1, .total = 9});
  bench.guard.restore("1000 1699999999\n", [](const std::string&) {});
  const auto user = bench.context(1000);
  submit(*user, 2, authorized(tpm::cc::kNvRead));
  const auto reply = user->take_only<proto::Result>();
  CHECK(reply->status == Status::Success);
  CHECK(proto::read_tpm_header(reply->response)->code == tpm::rc::kLockout);
  REQUIRE(bench.audit.of(Event::Lockout).size() == 1);
  // Without an authorization, and for others, all goes on.
  submit(*user, 3, kGetRandom);
  submit(*bench.context(1001), 2, authorized(tpm::cc::kNvRead));
  CHECK(bench.sink.outstanding.size() == 2);
}
