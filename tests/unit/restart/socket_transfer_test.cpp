#include "daemon/restart/socket_transfer.h"

#include <cerrno>
#include <numeric>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/catch2.h"

using namespace tbs::restart;
using Direction = SocketTransfer::Direction;

namespace {

const auto kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
constexpr std::uint64_t kWho = 0x1234567890;

struct Fixture {
  Fixture() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0); }
  ~Fixture() {
    close_peer();
    ::close(mine());
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  [[nodiscard]] int mine() const { return pair[0]; }
  [[nodiscard]] int peer() const { return pair[1]; }
  void close_peer() {
    if (peer() >= 0) ::close(peer());
    pair[1] = -1;
  }
  [[nodiscard]] std::span<std::uint8_t> buffer() { return memory->bytes().subspan(kPage, kPage); }

  // As a successor sees it.
  [[nodiscard]] std::optional<SocketTransfer::Unfinished> unfinished(std::uint64_t recorded = 0) {
    const auto successor = SocketTransfer::open(*memory, 0);
    REQUIRE(successor);
    const auto found = successor->unfinished(recorded);
    REQUIRE(found);
    return *found;
  }

  int pair[2];
  std::expected<StateMemory, std::string> memory = StateMemory::create("tbsd-test", 2 * kPage);
  std::expected<SocketTransfer, std::string> transfer = SocketTransfer::open(*memory, 0);
};

// 0 for none.
int error_of(const std::expected<SocketTransfer::Moved, int>& result) {
  return result ? 0 : result.error();
}

}  // namespace

TEST_CASE_METHOD(Fixture, "new memory has no unfinished transfer", "[restart][transfer]") {
  REQUIRE(transfer);
  CHECK_FALSE(unfinished());
}

TEST_CASE_METHOD(Fixture, "what was received is known to a successor", "[restart][transfer]") {
  REQUIRE(::send(peer(), "hello", 5, 0) == 5);
  const auto moved = transfer->receive(mine(), kWho, buffer());
  REQUIRE(moved);
  CHECK(moved->bytes == 5);
  CHECK(std::string(buffer().begin(), buffer().begin() + 5) == "hello");
  const auto found = unfinished();
  REQUIRE(found);
  CHECK(found->number == moved->number);
  CHECK(found->who == kWho);
  CHECK(found->direction == Direction::Receive);
  CHECK(found->bytes == 5);
  CHECK(unfinished(moved->number - 1));
  CHECK_FALSE(unfinished(moved->number));
}

TEST_CASE_METHOD(Fixture, "what was sent is known to a successor", "[restart][transfer]") {
  const std::vector<std::uint8_t> bytes(std::size_t{4} << 20, 7);
  const auto moved = transfer->send(mine(), kWho, bytes);
  REQUIRE(moved);
  // The socket does not take all of that.
  CHECK(moved->bytes > 0);
  CHECK(moved->bytes < bytes.size());
  const auto found = unfinished();
  REQUIRE(found);
  CHECK(found->direction == Direction::Send);
  CHECK(found->bytes == moved->bytes);
  std::vector<std::uint8_t> received(bytes.size());
  std::size_t count = 0;
  while (count < moved->bytes) {
    const ssize_t part = ::recv(peer(), received.data(), received.size(), MSG_DONTWAIT);
    REQUIRE(part > 0);
    count += static_cast<std::size_t>(part);
  }
  CHECK(count == moved->bytes);
}

TEST_CASE_METHOD(Fixture, "each transfer has a higher number, with a successor, too",
                 "[restart][transfer]") {
  REQUIRE(::send(peer(), "ab", 2, 0) == 2);
  const auto first = transfer->receive(mine(), 1, buffer().first(1));
  REQUIRE(first);
  auto successor = SocketTransfer::open(*memory, 0);
  REQUIRE(successor);
  const auto second = successor->receive(mine(), 2, buffer().first(1));
  REQUIRE(second);
  CHECK(second->number > first->number);
  CHECK(unfinished(first->number)->who == 2);
}

TEST_CASE_METHOD(Fixture, "what moves nothing leaves nothing unfinished", "[restart][transfer]") {
  REQUIRE(::send(peer(), "hello", 5, 0) == 5);
  REQUIRE(transfer->receive(mine(), kWho, buffer()));
  REQUIRE(unfinished());
  SECTION("nothing is there") {
    CHECK(error_of(transfer->receive(mine(), kWho, buffer())) == EAGAIN);
  }
  SECTION("the peer has closed, and has nothing for us") {
    close_peer();
    const auto end = transfer->receive(mine(), kWho, buffer());
    REQUIRE(end);
    CHECK(end->bytes == 0);
  }
  SECTION("the peer has closed, and takes nothing") {
    close_peer();
    CHECK(error_of(transfer->send(mine(), kWho, buffer())) == EPIPE);
  }
  SECTION("the socket is full") {
    const std::vector<std::uint8_t> bytes(std::size_t{4} << 20);
    REQUIRE(transfer->send(mine(), kWho, bytes));
    CHECK(error_of(transfer->send(mine(), kWho, buffer().first(1))) == EAGAIN);
  }
  SECTION("no socket") {
    CHECK(error_of(transfer->send(-1, kWho, buffer())) == EBADF);
  }
  CHECK_FALSE(unfinished());
}

TEST_CASE_METHOD(Fixture, "a damaged record of transfers is an error", "[restart][transfer]") {
  REQUIRE(::send(peer(), "hello", 5, 0) == 5);
  REQUIRE(transfer->receive(mine(), kWho, buffer()));
  SECTION("no direction") {
    memory->bytes()[0] |= 3;
  }
  SECTION("more bytes than were asked for") {
    memory->bytes()[16] = 4, memory->bytes()[17] = 0;
  }
  CHECK_FALSE(transfer->unfinished(0));
}

TEST_CASE_METHOD(Fixture, "the record of transfers lies in one page of the memory",
                 "[restart][transfer]") {
  CHECK_FALSE(SocketTransfer::open(*memory, 8));
  CHECK_FALSE(SocketTransfer::open(*memory, 2 * kPage));
  CHECK(SocketTransfer::open(*memory, 2 * kPage - SocketTransfer::kSize));
}
