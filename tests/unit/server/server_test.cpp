#include "daemon/server/server.h"

#include "proto/message_list.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using namespace std::chrono_literals;
using proto::Status;
using proto::Type;

namespace {

// A frame of this type with zeros of the shortest payload that its rule allows.
proto::Buffer shortest(const proto::MessageRule& rule) {
  proto::Buffer bytes;
  const std::size_t start = proto::begin_frame(bytes, rule.type, 7);
  bytes.resize(bytes.size() + rule.min_payload);
  proto::end_frame(bytes, start);
  return bytes;
}

std::vector<proto::MessageRule> requests() {
  std::vector<proto::MessageRule> rules;
  proto::for_each_request([&]<typename Request, typename Reply>(const proto::MessageRule& rule) {
    rules.push_back(rule);
  });
  return rules;
}

}  // namespace

TEST_CASE("hello comes first", "[server]") {
  for (const proto::MessageRule& rule : requests()) {
    if (rule.type == Type::Hello) continue;
    INFO(rule.name);
    ServerBench bench;
    const auto link = bench.connect(0);
    link->send_from_client(shortest(rule));
    CHECK(link->closed());
    CHECK(link->take_only<proto::Refusal>()->status == Status::BadParameter);
    CHECK(bench.audit.of(proto::Event::Refused).size() == 1);
  }
}

TEST_CASE("hello comes once", "[server]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  link->send_from_client(2, proto::Hello{});
  CHECK(link->closed());
  CHECK(bench.sink.open.empty());
}

TEST_CASE("every request is understood", "[server]") {
  for (const proto::MessageRule& rule : requests()) {
    if (rule.type == Type::Hello) continue;
    INFO(rule.name);
    ServerBench bench;
    const auto link = bench.context(0);
    link->send_from_client(shortest(rule));
    CHECK_FALSE(link->closed());
    if (!bench.sink.outstanding.empty()) bench.sink.answer(tpm_message(0));
    for (auto& [offset, answer] : bench.firmware.logs) answer(firmware::LogBytes{});
    const auto& received = link->take();
    REQUIRE(received.size() == 1);
    CHECK(received[0].request_id == 7);
    CHECK(proto::number_of(received[0].type) == (proto::number_of(rule.type) | proto::kReplyBit));
  }
}

TEST_CASE("a stream that is none of ours ends its connection", "[server]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  const proto::Buffer noise(64, 0xEE);
  link->send_from_client(noise);
  CHECK(link->closed());
  CHECK(link->take_only<proto::Refusal>().has_value());
  CHECK(bench.sink.open.empty());
  REQUIRE(bench.audit.of(proto::Event::Refused).size() == 1);
  CHECK(bench.audit.of(proto::Event::Refused)[0].fields.context == link->id());
}

TEST_CASE("who breaks the protocol harms nobody else", "[server]") {
  ServerBench bench;
  const auto good = bench.context(1000);
  const auto bad = bench.context(1000);
  const proto::Buffer command = tpm_message(tpm::cc::kGetRandom);
  good->send_from_client(2, proto::Submit{.command = command});
  bad->send_from_client(2, proto::Submit{.command = command});
  bad->send_from_client(3, proto::Hello{});
  CHECK(bad->closed());
  REQUIRE(bench.sink.outstanding.size() == 1);
  bench.sink.answer(tpm_message(0));
  CHECK(good->take_only<proto::Result>()->status == Status::Success);
}

TEST_CASE("a client that leaves takes its context along", "[server]") {
  ServerBench bench;
  const auto link = bench.context(1000);
  const proto::Buffer command = tpm_message(tpm::cc::kGetRandom);
  link->send_from_client(2, proto::Submit{.command = command});
  link->hang_up();
  CHECK(bench.sink.open.empty());
  CHECK(bench.sink.outstanding.empty());
  CHECK(bench.server.admission().connections().total() == 0);
  CHECK(bench.server.backlog().total() == 0);
}

TEST_CASE("who has said hello is not disconnected because the loop has no time for it",
          "[server]") {
  ServerBench bench;
  const auto silent = bench.connect(1000);
  const auto heard = bench.connect(1000);
  heard->send_from_client(proto::Buffer(10));  // the beginning of a frame
  bench.environment.time += 6s;
  bench.server.tick();
  CHECK(silent->closed());
  CHECK_FALSE(heard->closed());
  // It has as long again, and no longer than that without a word.
  REQUIRE(bench.server.next_deadline());
  CHECK(*bench.server.next_deadline() <= bench.environment.time + 5s);
}

TEST_CASE("at the end all are disconnected", "[server]") {
  ServerBench bench;
  const std::vector links = {bench.context(1000), bench.observer(1001), bench.connect(1002)};
  bench.server.close_all();
  for (const auto& link : links) CHECK(link->closed());
  CHECK(bench.sink.open.empty());
  CHECK(bench.server.admission().connections().total() == 0);
  CHECK_FALSE(bench.server.next_deadline());
}

TEST_CASE("a server that stops tells everybody, once what is outstanding is answered", "[server]") {
  ServerBench bench;
  const std::vector idle = {bench.context(1000), bench.observer(1001), bench.connect(1002)};
  const auto busy = bench.context(1000);
  const proto::Buffer command = tpm_message(tpm::cc::kGetRandom);
  busy->send_from_client(2, proto::Submit{.command = command});
  busy->send_from_client(3, proto::Submit{.command = command});
  bench.server.stop();
  for (const auto& link : idle) {
    CHECK(link->closed());
    CHECK(link->take_only<proto::Refusal>()->status == Status::ServiceNotRunning);
  }
  bench.sink.answer({}, Status::ServiceNotRunning);
  CHECK(busy->take_only<proto::Result>()->status == Status::ServiceNotRunning);
  CHECK_FALSE(busy->closed());
  bench.sink.answer(tpm_message(0));
  const auto& received = busy->take();
  REQUIRE(received.size() == 2);
  CHECK(received[0].as<proto::Result>()->status == Status::Success);
  CHECK(received[1].as<proto::Refusal>()->status == Status::ServiceNotRunning);
  CHECK(busy->closed());
  CHECK(bench.sink.open.empty());
  CHECK(bench.audit.of(proto::Event::Refused).empty());
}

TEST_CASE("a server that must end before everything is answered says so too", "[server]") {
  ServerBench bench;
  const auto busy = bench.context(1000);
  busy->send_from_client(2, proto::Submit{.command = tpm_message(tpm::cc::kGetRandom)});
  bench.server.stop();
  CHECK_FALSE(busy->closed());
  bench.server.close_all();
  CHECK(busy->take_only<proto::Refusal>()->status == Status::ServiceNotRunning);
  CHECK(busy->closed());
}

TEST_CASE("events of links that are unknown mean nothing", "[server]") {
  ServerBench bench;
  bench.server.on_closed(99);
  bench.server.on_kept(99);
  bench.server.on_fault(99, proto::FrameFault::BadLength);
  bench.server.on_frame(99, {.type = Type::Cancel, .request_id = 1, .payload = {}});
  CHECK(bench.server.wants_more(99));
  CHECK(bench.audit.entries.empty());
}

TEST_CASE("a new group of administrators holds for who is connected", "[server]") {
  ServerBench bench;
  const auto link = bench.context(1001, {kAdminGroup});
  bench.server.configure({}, {}, {});
  link->send_from_client(2, proto::RevokeAttestation{});
  CHECK(link->take_only<proto::RevokeAttestationReply>()->status == Status::AccessDenied);
}
