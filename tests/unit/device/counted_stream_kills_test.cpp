// A stream whose process can be killed at any instruction: what the memory says was moved is what
// was moved.

#include <cstdlib>
#include <vector>

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/device/counted_stream.h"
#include "daemon/restart/state_memory.h"
#include "tests/support/catch2.h"
#include "tests/unit/restart/stepped_process.h"

using namespace tbs;
using device::CountedStream;
using test::SteppedProcess;

namespace {

constexpr std::size_t kArea = 2048;
constexpr std::size_t kPage = 4096;

std::uint8_t byte_of(std::size_t number) {
  return static_cast<std::uint8_t>((number * 0x9E3779B97F4A7C15) >> 56);
}

std::size_t waiting_in(int socket) {
  int count = 0;
  REQUIRE(::ioctl(socket, FIONREAD, &count) == 0);
  return static_cast<std::size_t>(count);
}

struct World {
  World() {
    REQUIRE(memory);
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    for (std::size_t i = 0; i < kArea; ++i) bytes.push_back(byte_of(i));
  }
  ~World() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The other side's part: so much at a time that the stream is moved in pieces.
  void feed() {
    const ssize_t count =
        ::send(ends[1], bytes.data() + fed, std::min<std::size_t>(100, kArea - fed), MSG_DONTWAIT);
    if (count > 0) fed += static_cast<std::size_t>(count);
  }

  CountedStream& stream() {
    void* const first = memory->bytes().data();
    return *static_cast<CountedStream*>(first);
  }
  std::span<std::uint8_t> area() { return memory->bytes().subspan(kPage, kArea); }

  std::expected<restart::StateMemory, std::string> memory =
      restart::StateMemory::create("tbsd-test", 2 * kPage);
  int ends[2] = {-1, -1};
  std::vector<std::uint8_t> bytes;
  std::size_t fed = 0;
};

void receive_once(World& world) {
  if (!world.stream().receive(world.ends[0], world.area())) std::abort();
}

}  // namespace

TEST_CASE("what was received is known between any two instructions", "[restart][steps]") {
  World world;
  for (int round = 0; round < 3; ++round) {
    world.feed();
    SteppedProcess process([] {}, [&] { receive_once(world); });
    if (!process.can_step()) {
      WARN("skipped: no debugging here");
      return;
    }
    do {
      if (world.stream().moved() != world.fed - waiting_in(world.ends[0])) FAIL("miscounted");
    } while (process.step());
    CHECK(process.succeeded());
  }
  CHECK(world.stream().moved() == world.fed);
  CHECK(std::equal(world.bytes.begin(), world.bytes.begin() + 300, world.area().begin()));
}

TEST_CASE("a receiver that is killed after each instruction goes on", "[restart][steps]") {
  World world;
  bool ended = false;
  for (unsigned steps = 1; !ended; ++steps) {
    if (world.fed - world.stream().moved() < 50) world.feed();
    if (world.fed == kArea) break;
    SteppedProcess process([] {}, [&] { receive_once(world); });
    if (!process.can_step()) {
      WARN("skipped: no debugging here");
      return;
    }
    for (unsigned i = 0; i < steps && !ended; ++i) ended = !process.step();
  }
  while (world.stream().moved() < world.fed) receive_once(world);
  CHECK(std::equal(world.bytes.begin(),
                   world.bytes.begin() + static_cast<std::ptrdiff_t>(world.fed),
                   world.area().begin()));
}

TEST_CASE("what was sent is known between any two instructions", "[restart][steps]") {
  World world;
  SteppedProcess process([] {},
                         [&] {
                           if (world.stream().send(world.ends[0], world.bytes) != true)
                             std::abort();
                         });
  if (!process.can_step()) {
    WARN("skipped: no debugging here");
    return;
  }
  do {
    if (world.stream().moved() != waiting_in(world.ends[1])) FAIL("miscounted");
  } while (process.step());
  CHECK(process.succeeded());
  CHECK(world.stream().moved() == kArea);
}

TEST_CASE("sending goes on with what was not sent", "[restart]") {
  World world;
  const int small = 1;
  REQUIRE(::setsockopt(world.ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
  std::vector<std::uint8_t> whole(1 << 20);
  for (std::size_t i = 0; i < whole.size(); ++i) whole[i] = byte_of(i);
  std::vector<std::uint8_t> came;
  bool done = false;
  int turns = 0;
  while (!done) {
    const auto sent = world.stream().send(world.ends[0], whole);
    REQUIRE(sent);
    done = *sent;
    std::vector<std::uint8_t> piece(waiting_in(world.ends[1]));
    REQUIRE(::recv(world.ends[1], piece.data(), piece.size(), 0) ==
            static_cast<ssize_t>(piece.size()));
    came.insert(came.end(), piece.begin(), piece.end());
    ++turns;
  }
  CHECK(turns > 1);
  CHECK(came == whole);
}

TEST_CASE("a stream that ends, or is full, says so", "[restart]") {
  World world;
  CHECK(world.stream().receive(world.ends[0], world.area()) == std::unexpected(EAGAIN));
  world.feed();
  CHECK(world.stream().receive(world.ends[0], world.area().first(60)) == 60U);
  CHECK(world.stream().receive(world.ends[0], world.area().first(60)) == std::unexpected(ENOBUFS));
  CHECK(world.stream().receive(world.ends[0], world.area()) == 40U);
  ::shutdown(world.ends[1], SHUT_WR);
  CHECK(world.stream().receive(world.ends[0], world.area()) == 0U);
  CHECK(world.stream().moved() == 100);
  ::shutdown(world.ends[1], SHUT_RD);
  CHECK(world.stream().send(world.ends[0], world.bytes) == std::unexpected(EPIPE));
}
