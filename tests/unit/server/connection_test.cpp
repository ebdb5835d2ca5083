#include "daemon/server/connection.h"

#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "proto/limits.h"
#include "tests/support/catch2.h"

using namespace tbs;
using server::Connection;

namespace {

class Owner : public server::LinkOwner {
 public:
  void on_frame(std::uint64_t, const proto::Frame& frame) override {
    requests.push_back(frame.request_id);
    if (in_frame) in_frame();
  }
  void on_fault(std::uint64_t, proto::FrameFault) override { ++faults; }
  void on_closed(std::uint64_t id) override { closed.push_back(id); }
  void on_kept(std::uint64_t) override { ++kept; }
  [[nodiscard]] bool wants_more(std::uint64_t) override { return wants; }

  std::vector<std::uint64_t> requests;
  std::vector<std::uint64_t> closed;
  int faults = 0;
  int kept = 0;
  bool wants = true;
  std::function<void()> in_frame;
};

// A connection, and the client's end of its socket.
class Bench {
 public:
  Bench() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    client = ends[1];
    Connection::Socket socket(io);
    socket.assign(boost::asio::local::stream_protocol(), ends[0]);
    connection = std::make_shared<Connection>(std::move(socket), 9, owner, turns);
    connection->start(account_of(UserId{1000}));
    run();
  }
  ~Bench() { hang_up(); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void run() {
    io.restart();
    io.poll();
  }
  template <typename Message>
  void send(std::uint64_t id, Message message) {
    proto::Buffer bytes;
    proto::append_frame(bytes, id, std::move(message));
    REQUIRE(::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
    run();
  }
  void hang_up() {
    if (client >= 0) ::close(std::exchange(client, -1));
  }
  // Takes what the client has been sent; how much that was.
  std::size_t read_all() {
    proto::Buffer room(65536);
    std::size_t sum = 0;
    for (ssize_t count = 1; count > 0; run()) {
      count = ::recv(client, room.data(), room.size(), MSG_DONTWAIT);
      if (count > 0) sum += static_cast<std::size_t>(count);
    }
    return sum;
  }

  boost::asio::io_context io;
  server::TurnRunner turns{io};
  Owner owner;
  std::shared_ptr<Connection> connection;
  int client = -1;
};

}  // namespace

TEST_CASE("frames arrive one by one", "[server][connection]") {
  Bench bench;
  bench.send(1, proto::Cancel{});
  bench.send(2, proto::DeviceInfo{});
  CHECK(bench.owner.requests == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("a full window holds frames back, also those received already", "[server][connection]") {
  Bench bench;
  bench.owner.in_frame = [&] { bench.connection->set_window_full(true); };
  proto::Buffer bytes;
  proto::append_frame(bytes, 1, proto::Cancel{});
  proto::append_frame(bytes, 2, proto::Cancel{});
  REQUIRE(::send(bench.client, bytes.data(), bytes.size(), 0) > 0);
  bench.run();
  CHECK(bench.owner.requests == std::vector<std::uint64_t>{1});
  bench.connection->set_window_full(false);
  bench.run();
  CHECK(bench.owner.requests == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("an owner who wants no more is asked again when it says so", "[server][connection]") {
  Bench bench;
  bench.owner.wants = false;
  bench.send(1, proto::Cancel{});
  bench.send(2, proto::Cancel{});
  // What was being read when that changed may still come.
  bench.owner.requests.clear();
  bench.owner.wants = true;
  bench.connection->resume();
  bench.run();
  CHECK(bench.owner.requests.back() == 2);
}

TEST_CASE("a client that goes is noticed", "[server][connection]") {
  Bench bench;
  SECTION("while it is read from") {}
  SECTION("while it is not read from") {
    bench.send(1, proto::Cancel{});
    bench.connection->set_window_full(true);
    bench.send(2, proto::Cancel{});
  }
  bench.hang_up();
  bench.run();
  CHECK(bench.owner.closed == std::vector<std::uint64_t>{9});
}

TEST_CASE("a fault is told once", "[server][connection]") {
  Bench bench;
  const proto::Buffer noise(64, 0xEE);
  bench.owner.wants = true;
  REQUIRE(::send(bench.client, noise.data(), noise.size(), 0) > 0);
  bench.run();
  CHECK(bench.owner.faults == 1);
  bench.connection->close();
  CHECK(bench.owner.closed.empty());
}

TEST_CASE("answers that are not read stop the reading, and drain", "[server][connection]") {
  Bench bench;
  const proto::Buffer response(16000);
  std::size_t sent = 0;
  while (bench.connection->unsent() < proto::kMaxPendingOutput) {
    bench.connection->send(1, proto::Result{.response = response});
    sent += proto::kFrameHeaderSize + 4 + response.size();
  }
  bench.send(5, proto::Cancel{});
  const auto before = bench.owner.requests.size();
  bench.send(6, proto::Cancel{});
  CHECK(bench.owner.requests.size() == before);
  CHECK(bench.read_all() == sent);
  CHECK(bench.owner.kept > 0);
  CHECK(bench.connection->unsent() == 0);
  CHECK(bench.owner.requests.back() == 6);
}

TEST_CASE("nothing is sent after the end", "[server][connection]") {
  Bench bench;
  bench.connection->close();
  bench.connection->send(1, proto::CancelReply{});
  CHECK(bench.connection->unsent() == 0);
  bench.run();
  CHECK(bench.owner.closed.empty());
  char byte = 0;
  CHECK(::recv(bench.client, &byte, 1, MSG_DONTWAIT) == 0);
}
