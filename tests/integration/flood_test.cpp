// Clients that send as much as they can and never read an answer: the daemon's memory stays
// bounded, and a client that behaves waits for a few commands and not for all of theirs.

#include "tests/integration/support/test_bench.h"
#include "tests/integration/support/tpm_commands.h"
#include "tests/support/catch2.h"

using namespace tbs::test;
using tbs::proto::Buffer;
using tbs::proto::Status;

namespace {

constexpr std::size_t kFlooders = 8;

// Sends until the daemon has taken nothing more for a while; the bytes it took.
class Flooder {
 public:
  Flooder(RawClient client, Buffer command)
      : client_(std::move(client)), command_(std::move(command)) {}

  std::size_t push() {
    if (rest_.empty()) rest_ = submit_frame(++id_, command_);
    const std::size_t sent = client_.send_some(rest_);
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(sent));
    taken_ += sent;
    return sent;
  }
  [[nodiscard]] std::size_t taken() const { return taken_; }
  RawClient& client() { return client_; }

 private:
  RawClient client_;
  Buffer command_;
  Buffer rest_;
  std::uint64_t id_ = 0;
  std::size_t taken_ = 0;
};

// Until all are stuck: nothing taken from any of them for half a second.
void flood(std::vector<Flooder>& flooders) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  auto last_progress = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - last_progress < std::chrono::milliseconds(500)) {
    std::size_t sent = 0;
    for (Flooder& flooder : flooders) sent += flooder.push();
    if (sent > 0) last_progress = std::chrono::steady_clock::now();
    if (sent == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    REQUIRE(std::chrono::steady_clock::now() < give_up);
  }
}

}  // namespace

TEST_CASE("the memory that flooding clients can take is bounded") {
  TestBench bench;
  RawClient neighbour = bench.context();
  neighbour.call(tpm::get_random(8));
  const pid_t daemon = bench.daemon().program().pid();
  const std::size_t before = resident_bytes(daemon);
  std::vector<Flooder> flooders;
  for (std::size_t i = 0; i < kFlooders; ++i) {
    // The longest answers for the shortest commands that a TPM without keys gives.
    flooders.emplace_back(bench.context(), tpm::get_handles(tpm::kTransientFirst));
  }
  flood(flooders);
  const std::size_t after = resident_bytes(daemon);
  std::size_t taken = 0;
  for (const Flooder& flooder : flooders) taken += flooder.taken();
  WARN(kFlooders << " flooders sent " << taken / 1024 << " KiB; the daemon grew from "
                 << before / 1024 << " to " << after / 1024 << " KiB");
  // 768 KiB for each (proto/limits.h), and some for the allocator.
  if (!sanitized()) CHECK(after - std::min(before, after) < kFlooders * 768 * 1024 + (4 << 20));
  for (const auto& entry : bench.contexts()) {
    CHECK(entry.queued_bytes <= tbs::proto::kMaxPendingOutput + 32 * 1024);
  }
  CHECK(neighbour.call(tpm::get_random(8)).status == Status::Success);
}

TEST_CASE("a flooder that reads at last gets every answer") {
  TestBench bench;
  std::vector<Flooder> flooders;
  flooders.emplace_back(bench.context(), tpm::get_random(32));
  flood(flooders);
  RawClient& client = flooders.front().client();
  const std::size_t frame = submit_frame(1, tpm::get_random(32)).size();
  const std::uint64_t whole = flooders.front().taken() / frame;
  REQUIRE(whole > 100);
  for (std::uint64_t id = 1; id <= whole; ++id) {
    const Answer answer = client.receive_result();
    REQUIRE(answer.request_id == id);
    REQUIRE(answer.status == Status::Success);
  }
}

TEST_CASE("a client waits for a few commands of the flooders and not for all") {
  TestBench bench;
  RawClient client = bench.context();
  std::vector<Flooder> flooders;
  for (std::size_t i = 0; i < kFlooders; ++i) {
    flooders.emplace_back(bench.context(), tpm::self_test());
  }
  bench.freeze_tpm();
  flood(flooders);
  const std::uint32_t waiting = bench.status().queued;
  CHECK(waiting == kFlooders * tbs::proto::kMaxOutstanding - 1);
  client.submit(1, tpm::get_random(8));
  REQUIRE(bench.wait_for_load(client, 1, 0));
  const std::uint64_t before = bench.status().commands;
  bench.thaw_tpm();
  CHECK(client.receive_result().status == Status::Success);
  // The one on the TPM and one of each flooder come first; some more run until the status is read.
  const std::uint64_t overtaken = bench.status().commands - before;
  WARN("of " << waiting << " waiting commands " << overtaken << " came before");
  CHECK(overtaken < waiting / 2);
}
