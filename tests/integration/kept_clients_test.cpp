// tbsd executes itself (SIGUSR2) with clients at whatever they do: nothing of theirs is lost, and
// no command is carried out or answered twice. Crashes at any instruction are those of
// tests/integration/restart.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <map>

#include <unistd.h>

#include "client/include/tbs/tbsx.h"
#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"
#include "tests/support/digest.h"

using namespace tbs::test;
using namespace std::chrono_literals;
using tbs::proto::Buffer;
using tbs::proto::Cancel;
using tbs::proto::CancelReply;
using tbs::proto::Status;

namespace {

constexpr std::uint32_t kDetached = 2;

class Restarted : public TestBench {
 public:
  using TestBench::TestBench;

  std::size_t open_descriptors() {
    const std::string folder = "/proc/" + std::to_string(daemon().program().pid()) + "/fd";
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }

  // Returns when the next one has everything.
  void restart() {
    daemon().program().signal(SIGUSR2);
    ++restarts_;
    REQUIRE(eventually([this] { return taken_over() == restarts_; }));
  }

 private:
  std::size_t taken_over() {
    const std::string log = daemon().log();
    std::size_t count = 0;
    for (std::size_t at = log.find("going on where"); at != std::string::npos;
         at = log.find("going on where", at + 1)) {
      ++count;
    }
    return count;
  }

  std::size_t restarts_ = 0;
};

Buffer extended(Buffer pcr, const Buffer& digest) {
  pcr.insert(pcr.end(), digest.begin(), digest.end());
  return sha256(pcr);
}

}  // namespace

TEST_CASE("a client that does nothing notices nothing") {
  Restarted bench;
  RawClient client = bench.context();
  const std::uint32_t key = tpm::handle(client.response(tpm::create_primary_ecc()));
  bench.restart();
  // The answer says that it has begun in full.
  CHECK(tpm::code(client.response(tpm::read_public(key))) == tpm::kSuccess);
  const std::size_t open = bench.open_descriptors();
  for (int round = 0; round < 5; ++round) {
    bench.restart();
    // A helper of the daemon's may have a file open for a moment, then as well as now.
    CHECK(eventually([&] { return bench.open_descriptors() <= open; }));
    CHECK(tpm::code(client.response(tpm::read_public(key))) == tpm::kSuccess);
    CHECK(bench.entry_of(client.context_id()));
  }
  RawClient newcomer = bench.context();
  CHECK(newcomer.context_id() > client.context_id());
  CHECK(tpm::code(newcomer.response(tpm::get_random(8))) == tpm::kSuccess);
  CHECK(bench.stop_daemon() == 0);
  CHECK(::access(bench.everybodys_socket().c_str(), F_OK) != 0);
}

TEST_CASE("the command on the TPM is carried out and answered once") {
  Restarted bench;
  RawClient client = bench.context();
  const Buffer digest(32, 1);
  const Buffer before = tpm::pcr_value(client.response(tpm::pcr_read(tpm::kDebugPcr)));
  bench.freeze_tpm();
  client.submit(7, tpm::pcr_extend(tpm::kDebugPcr, digest));
  REQUIRE(bench.wait_for_load(client, 0, 1));
  bench.restart();
  bench.restart();
  CHECK_FALSE(client.has_frame(50ms));
  bench.thaw_tpm();
  const Answer answer = client.receive_result();
  CHECK(answer.request_id == 7);
  CHECK(tpm::code(answer.response) == tpm::kSuccess);
  CHECK(tpm::pcr_value(client.response(tpm::pcr_read(tpm::kDebugPcr))) == extended(before, digest));
}

TEST_CASE("commands that wait run once, each client's in their order") {
  Restarted bench;
  RawClient holder = bench.context();
  RawClient one = bench.context();
  RawClient other = bench.context();
  Buffer pcr = tpm::pcr_value(one.response(tpm::pcr_read(tpm::kDebugPcr)));
  bench.occupy_tpm(holder);
  for (std::uint64_t id = 1; id <= 8; ++id) {
    one.submit(id, tpm::pcr_extend(tpm::kDebugPcr, Buffer(32, static_cast<std::uint8_t>(id))));
    other.submit(id, tpm::get_random(8));
  }
  REQUIRE(bench.wait_for_load(one, 8, 0));
  REQUIRE(bench.wait_for_load(other, 8, 0));
  bench.restart();
  CHECK(bench.wait_for_load(one, 8, 0));
  bench.thaw_tpm();
  CHECK(holder.receive_result().status == Status::Success);
  for (std::uint64_t id = 1; id <= 8; ++id) {
    const Answer answer = one.receive_result();
    CHECK(answer.request_id == id);
    CHECK(tpm::code(answer.response) == tpm::kSuccess);
    CHECK(other.receive_result().request_id == id);
    pcr = extended(pcr, Buffer(32, static_cast<std::uint8_t>(id)));
  }
  CHECK(tpm::pcr_value(one.response(tpm::pcr_read(tpm::kDebugPcr))) == pcr);
}

TEST_CASE("a sequence goes on over a restart after each step") {
  Restarted bench;
  RawClient client = bench.context();
  const std::uint32_t sequence = tpm::handle(client.response(tpm::hash_sequence_start()));
  Buffer all;
  for (std::uint8_t part = 1; part <= 6; ++part) {
    bench.restart();
    // With and without having been taken out of the TPM meanwhile.
    if (part % 2 == 0) bench.wait_until_idle();
    const Buffer data(100, part);
    REQUIRE(tpm::code(client.response(tpm::sequence_update(sequence, data))) == tpm::kSuccess);
    all.insert(all.end(), data.begin(), data.end());
  }
  bench.restart();
  CHECK(tpm::sequence_result(client.response(tpm::sequence_complete(sequence))) == sha256(all));
}

TEST_CASE("sessions and objects belong to whom they belonged") {
  Restarted bench;
  RawClient owner = bench.context();
  RawClient other = bench.context();
  const std::uint32_t session =
      tpm::handle(owner.response(tpm::start_auth_session(TPM2_SE_POLICY)));
  const std::uint32_t key = tpm::handle(owner.response(tpm::create_primary_ecc()));
  bench.restart();
  CHECK(tpm::code(other.response(tpm::flush_context(session))) != tpm::kSuccess);
  CHECK(tpm::code(other.response(tpm::read_public(key))) != tpm::kSuccess);
  CHECK(tpm::code(owner.response(tpm::policy_secret(TPM2_RH_OWNER, session, ""))) == tpm::kSuccess);
  CHECK(tpm::code(owner.response(tpm::flush_context(session))) == tpm::kSuccess);
  CHECK(tpm::code(owner.response(tpm::flush_context(key))) == tpm::kSuccess);
  CHECK(tpm::handles(owner.response(tpm::get_handles(tpm::kTransientFirst))).empty());
}

TEST_CASE("a detached command stays detached, and what it creates is flushed") {
  Restarted bench;
  RawClient client = bench.context();
  bench.freeze_tpm();
  client.submit(1, tpm::create_primary_ecc());
  REQUIRE(bench.wait_for_load(client, 0, 1));
  client.send(2, Cancel{});
  CHECK(client.expect<CancelReply>(2).status == Status::Success);
  CHECK(client.receive_result().status == Status::CommandCanceled);
  bench.restart();
  const auto entry = bench.entry_of(client.context_id());
  REQUIRE(entry);
  CHECK(entry->running == kDetached);
  client.submit(3, tpm::get_random(8));
  CHECK_FALSE(client.has_frame(50ms));
  bench.thaw_tpm();
  CHECK(client.receive_result().request_id == 3);
  CHECK(tpm::handles(client.response(tpm::get_handles(tpm::kTransientFirst))).empty());
}

TEST_CASE("a cancel in the same moment is neither lost nor doubled") {
  Restarted bench;
  RawClient holder = bench.context();
  RawClient client = bench.context();
  bench.occupy_tpm(holder);
  for (std::uint64_t id = 1; id <= 4; ++id) client.submit(id, tpm::get_random(8));
  client.send(5, Cancel{});
  bench.restart();
  bench.thaw_tpm();
  std::map<std::uint64_t, int> answers;
  for (int frames = 0; frames < 5; ++frames) {
    const auto received = client.receive();
    REQUIRE(received);
    ++answers[received->request_id];
  }
  CHECK(answers.size() == 5);
  CHECK(holder.receive_result().status == Status::Success);
  CHECK(client.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("half a frame is completed by the other half") {
  Restarted bench;
  RawClient client = bench.context();
  const Buffer frame = submit_frame(9, tpm::get_random(8));
  for (const std::size_t half : {std::size_t{5}, std::size_t{16}, frame.size() - 1}) {
    client.send_bytes(tbs::proto::Bytes(frame).first(half));
    // So that the first daemon has read it.
    bench.status();
    bench.restart();
    client.send_bytes(tbs::proto::Bytes(frame).subspan(half));
    const Answer answer = client.receive_result();
    CHECK(answer.request_id == 9);
    CHECK(tpm::code(answer.response) == tpm::kSuccess);
  }
}

TEST_CASE("answers that nobody has read come once, and whole") {
  Restarted bench;
  RawClient client = bench.context();
  // More than a socket holds: some wait in the daemon, and some were not read from the client.
  std::uint64_t sent = 0;
  const auto send_all = [&] {
    Buffer frame = submit_frame(sent + 1, tpm::get_random(32));
    while (sent < 20'000 && client.send_some(frame) == frame.size()) {
      ++sent;
      frame = submit_frame(sent + 1, tpm::get_random(32));
    }
  };
  send_all();
  bench.restart();
  std::uint64_t received = 0;
  for (; received < sent; ++received) {
    const Answer answer = client.receive_result();
    REQUIRE(answer.request_id == received + 1);
    REQUIRE(tpm::code(answer.response) == tpm::kSuccess);
  }
  CHECK(sent > 100);
  CHECK_FALSE(client.has_frame(20ms));
}

TEST_CASE("who goes away around a restart leaves nothing") {
  Restarted bench;
  auto client = std::make_unique<RawClient>(bench.context());
  const std::uint64_t id = client->context_id();
  client->response(tpm::create_primary_ecc());
  bench.freeze_tpm();
  client->submit(1, tpm::create_primary_ecc());
  REQUIRE(bench.wait_for_load(*client, 0, 1));
  client.reset();
  bench.restart();
  bench.thaw_tpm();
  CHECK(bench.wait_until_gone(id));
  RawClient other = bench.context();
  CHECK(tpm::code(other.response(tpm::get_random(8))) == tpm::kSuccess);
}

TEST_CASE("a raw context keeps the TPM to itself") {
  Restarted bench({.arguments = {"--raw-contexts=yes"}});
  RawClient raw = bench.connect();
  constexpr std::uint32_t kRaw = tbs::proto::kWantTpm20 | tbs::proto::kWantRaw;
  REQUIRE(raw.hello(tbs::proto::Role::Context, kRaw).status == Status::Success);
  const std::uint32_t key = tpm::handle(raw.response(tpm::create_primary_ecc()));
  bench.restart();
  CHECK(tpm::code(raw.response(tpm::read_public(key))) == tpm::kSuccess);
  RawClient other = bench.connect();
  CHECK(other.hello(tbs::proto::Role::Context).status == Status::TooManyContexts);
  CHECK(tpm::code(raw.response(tpm::flush_context(key))) == tpm::kSuccess);
}

TEST_CASE("without keep-clients a restart ends their connections") {
  TestBench bench({.arguments = {"--keep-clients=no"}});
  RawClient client = bench.context();
  bench.daemon().program().signal(SIGUSR2);
  CHECK_FALSE(client.receive());
  // The next one has begun.
  RawClient other = bench.context();
  CHECK(tpm::code(other.response(tpm::get_random(8))) == tpm::kSuccess);
}
