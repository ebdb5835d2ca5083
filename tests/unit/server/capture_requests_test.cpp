#include "daemon/server/capture_requests.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/support/server_bench.h"

using namespace tbs;
using namespace tbs::test;
using proto::Event;

namespace {

void ask(FakeLink& link, std::uint64_t after, std::uint64_t context = 0) {
  link.send_from_client(50, proto::ReadCapture{.after = after, .context = context});
}

std::uint64_t begin(FakeLink& link) {
  ask(link, 0);
  const auto page = link.take_only<proto::CapturePage>().value();
  CHECK(page.exchanges.empty());
  return page.last;
}

void run_one(ServerBench& bench, FakeLink& link) {
  const proto::Buffer command = tpm_message(tpm::cc::kGetRandom);
  link.send_from_client(3, proto::Submit{.command = command});
  bench.environment.time += std::chrono::microseconds(250);
  bench.sink.answer(tpm_message(0));
  link.take();
  bench.environment.run_posted();
}

}  // namespace

TEST_CASE("an administrator captures what clients send and get", "[server][capture]") {
  ServerBench bench;
  bench.environment.time += std::chrono::hours(1);
  const auto client = bench.context(1000);
  const auto admin = bench.observer(0);
  const std::uint64_t from = begin(*admin);
  ask(*admin, from);
  CHECK(admin->take().empty());
  run_one(bench, *client);
  const auto page = admin->take_only<proto::CapturePage>().value();
  CHECK(page.lost == 0);
  proto::ByteReader reader(page.exchanges);
  const auto exchange = proto::read_exchange(reader).value();
  CHECK(reader.at_end());
  CHECK(exchange.context == client->id());
  CHECK(exchange.uid == 1000);
  CHECK(exchange.program == "prog");
  CHECK(exchange.status == 0);
  CHECK(std::ranges::equal(exchange.command, tpm_message(tpm::cc::kGetRandom)));
  CHECK(std::ranges::equal(exchange.response, tpm_message(0)));
  CHECK(exchange.answered_us - exchange.submitted_us == 250);
  CHECK(bench.audit.of(Event::Capture).size() == 1);
}

TEST_CASE("captures are for administrators", "[server][capture]") {
  ServerBench bench;
  const auto user = bench.observer(1000);
  ask(*user, 0);
  CHECK(user->take_only<proto::CapturePage>()->status == proto::Status::AccessDenied);
  CHECK(bench.audit.of(Event::Denied).size() == 1);
}

TEST_CASE("another context's commands do not end the waiting", "[server][capture]") {
  ServerBench bench;
  const auto one = bench.context(1000);
  const auto other = bench.context(1001);
  const auto admin = bench.observer(0);
  ask(*admin, begin(*admin), other->id());
  run_one(bench, *one);
  CHECK(admin->take().empty());
  run_one(bench, *other);
  proto::Buffer bytes;
  const auto page = admin->take_only<proto::CapturePage>().value();
  proto::ByteReader reader(page.exchanges);
  CHECK(proto::read_exchange(reader)->context == other->id());
  CHECK(reader.at_end());
}

TEST_CASE("who captures and goes is forgotten", "[server][capture]") {
  ServerBench bench;
  const auto client = bench.context(1000);
  const auto admin = bench.observer(0);
  ask(*admin, begin(*admin));
  admin->hang_up();
  run_one(bench, *client);
  CHECK(admin->take().empty());
}
