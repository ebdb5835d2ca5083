// A relay that is killed again and again, and each time goes on in a new process: no byte may be
// lost or come twice.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <random>
#include <vector>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/catch2.h"
#include "tests/unit/restart/relay.h"
#include "tests/unit/restart/stepped_process.h"

using namespace tbs;
using restart::StateMemory;
using test::Relay;
using test::SteppedProcess;
using Direction = restart::SocketTransfer::Direction;

namespace {

// The byte with this number in the stream; neighbours and powers of two have nothing in common.
std::uint8_t byte_of(std::uint64_t number) {
  return static_cast<std::uint8_t>((number * 0x9E3779B97F4A7C15) >> 56);
}

std::uint64_t waiting_in(int socket) {
  int count = 0;
  REQUIRE(::ioctl(socket, FIONREAD, &count) == 0);
  return static_cast<std::uint64_t>(count);
}

struct Pair {
  Pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0); }
  ~Pair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  int ends[2];
};

// Both ends of the relay's world: what goes in is compared with what comes out.
class World {
 public:
  // Puts up to so many bytes into the first socket.
  void feed(std::size_t most) {
    std::vector<std::uint8_t> bytes(most);
    for (std::size_t i = 0; i < most; ++i) bytes[i] = byte_of(fed_ + i);
    const ssize_t count = ::send(in_.ends[0], bytes.data(), most, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) fed_ += static_cast<std::uint64_t>(count);
  }

  // Takes and checks what has come out of the second one.
  void drain() {
    std::uint8_t bytes[4096];
    ssize_t count = 0;
    while ((count = ::recv(out_.ends[1], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
      for (ssize_t i = 0; i < count; ++i) {
        if (bytes[i] != byte_of(drained_)) FAIL("byte " << drained_ << " is another one");
        ++drained_;
      }
    }
  }

  Relay relay() { return {memory, in_.ends[1], out_.ends[0]}; }

  // What a successor would see now must be what is in the sockets.
  void compare(unsigned step) {
    const Relay::Books seen = Relay::seen(memory);
    if (seen.received != fed_ - waiting_in(in_.ends[1])) FAIL("step " << step << ": received");
    if (seen.sent != drained_ + waiting_in(out_.ends[1])) FAIL("step " << step << ": sent");
  }

  // To the last byte.
  void finish() {
    Relay last = relay();
    while (last.turn()) drain();
    drain();
    CHECK(drained_ == fed_);
    const Relay::Books books = Relay::seen(memory);
    CHECK(books.received == fed_);
    CHECK(books.sent == fed_);
  }

  void wait_for_input() const {
    pollfd input{.fd = in_.ends[1], .events = POLLIN, .revents = 0};
    ::poll(&input, 1, -1);
  }

  StateMemory memory = *StateMemory::create("tbsd-test", Relay::kMemory);

 private:
  Pair in_;
  Pair out_;
  std::uint64_t fed_ = 0;
  std::uint64_t drained_ = 0;
};

// Stands before a transfer in this direction.
SteppedProcess before_turn(World& world, Direction direction, std::optional<Relay>& relay) {
  return SteppedProcess(
      [&] {
        relay.emplace(world.relay());
        if (relay->next() != direction) relay->turn();
      },
      [&] {
        if (!relay->turn()) std::abort();
      });
}

// Kills the relay when it has carried out so many instructions of its turn; false when it had
// ended.
bool kill_after(unsigned steps, World& world, Direction direction) {
  std::optional<Relay> relay;
  SteppedProcess process = before_turn(world, direction, relay);
  REQUIRE(process.can_step());
  for (unsigned i = 0; i < steps; ++i) {
    if (process.step()) continue;
    CHECK(process.succeeded());
    return false;
  }
  return true;
}

unsigned steps_of_turn(World& world, Direction direction) {
  std::optional<Relay> relay;
  SteppedProcess process = before_turn(world, direction, relay);
  unsigned steps = 0;
  if (!process.can_step()) return 0;
  while (process.step()) ++steps;
  CHECK(process.succeeded());
  return steps;
}

// A process that relays until it is killed, and counts its turns.
class RunningRelay {
 public:
  RunningRelay(World& world, std::atomic<unsigned>& turns) : pid_(::fork()) {
    REQUIRE(pid_ >= 0);
    if (pid_ > 0) return;
    for (Relay relay = world.relay();; ++turns) {
      if (!relay.turn()) world.wait_for_input();
    }
  }
  ~RunningRelay() {
    if (pid_ > 0) end();
  }
  RunningRelay(const RunningRelay&) = delete;
  RunningRelay& operator=(const RunningRelay&) = delete;

  // Whether it has not ended by itself.
  [[nodiscard]] bool runs() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
  }
  // Kills it; what signal it has ended by.
  int end() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    const bool ended = ::waitpid(pid_, &status, 0) == pid_ && WIFSIGNALED(status);
    pid_ = -1;
    return ended ? WTERMSIG(status) : 0;
  }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("a successor knows what was moved, between any two instructions", "[restart][steps]") {
  World world;
  for (unsigned i = 0; i < 20; ++i) world.feed(Relay::kBuffer);
  SteppedProcess process([] {},
                         [&] {
                           Relay relay = world.relay();
                           for (unsigned turn = 0; turn < 40; ++turn) {
                             if (!relay.turn()) std::abort();
                           }
                         });
  if (!process.can_step()) {
    WARN("skipped: no debugging here");
    return;
  }
  unsigned steps = 0;
  do {
    world.compare(steps);
    ++steps;
  } while (process.step());
  CHECK(process.succeeded());
  CHECK(steps > 1000);
  world.finish();
}

TEST_CASE("killed after each instruction, no byte is lost or comes twice", "[restart][steps]") {
  World world;
  const auto direction = GENERATE(Direction::Receive, Direction::Send);
  world.feed(10 * Relay::kBuffer);
  const unsigned all = steps_of_turn(world, direction);
  if (all == 0) {
    WARN("skipped: no debugging here");
    return;
  }
  // Each process is stepped from the beginning of its turn: where a sanitizer has made many
  // instructions of it, that would take minutes.
  const unsigned stride = all < 700 ? 1 : all / 60;
  unsigned steps = 0;
  do {
    world.feed(2 * Relay::kBuffer);
    world.drain();
    steps += stride;
  } while (kill_after(steps, world, direction));
  CHECK(steps > all / 2);
  world.finish();
}

TEST_CASE("killed at any time, no byte is lost or comes twice", "[restart][kills]") {
  constexpr unsigned kKills = 300;
  World world;
  auto shared = StateMemory::create("tbsd-test", sizeof(std::atomic<unsigned>));
  REQUIRE(shared);
  auto& turns = *new (shared->bytes().data()) std::atomic<unsigned>{};
  std::mt19937 random(1);
  for (unsigned kill = 0; kill < kKills; ++kill) {
    const unsigned before = turns;
    RunningRelay relay(world, turns);
    const auto feed = [&] {
      world.feed(random() % (3 * Relay::kBuffer) + 1);
      world.drain();
    };
    // It is at work, and then for a little while longer.
    while (turns == before && relay.runs()) feed();
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 500);
    while (std::chrono::steady_clock::now() < end) feed();
    REQUIRE(relay.end() == SIGKILL);
    REQUIRE(turns != before);
  }
  world.finish();
}
