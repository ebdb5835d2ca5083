// Who reads the metrics, over real sockets; the loop is turned by the test.

#include "daemon/metrics/metrics_server.h"

#include <array>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/catch2.h"

using namespace tbs;
using namespace tbs::metrics;

namespace {

constexpr std::string_view kGet = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

class Bench {
 public:
  ~Bench() {
    for (const int socket : clients) ::close(socket);
  }

  // Another reader has connected; its number.
  std::size_t connect() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    server::Listener::Socket socket(io.get_executor());
    socket.assign(boost::asio::local::stream_protocol(), ends[1]);
    clients.push_back(ends[0]);
    metrics.accept(std::move(socket));
    io.poll();
    return clients.size() - 1;
  }
  void disconnect(std::size_t client) {
    ::close(std::exchange(clients[client], -1));
    io.restart();
    io.poll();
  }
  void send(std::size_t client, std::string_view text) const {
    REQUIRE(::send(clients[client], text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  // All that comes until the connection is closed; the loop is turned meanwhile.
  std::string answer(std::size_t client) {
    std::string all;
    std::array<char, 4096> room{};
    while (true) {
      io.restart();
      io.poll();
      const ssize_t count = ::recv(clients[client], room.data(), room.size(), MSG_DONTWAIT);
      if (count == 0) return all;
      if (count > 0) all.append(room.data(), static_cast<std::size_t>(count));
    }
  }
  [[nodiscard]] bool open(std::size_t client) const {
    char byte = 0;
    return ::recv(clients[client], &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
  }

  boost::asio::io_context io{1};
  int pages = 0;
  MetricsServer metrics{io, [this](Format format) {
                          ++pages;
                          return format == Format::Text ? "text\n" : "open\n";
                        }};
  std::vector<int> clients;
};

}  // namespace

TEST_CASE("a reader gets the page as it is when it asks", "[metrics][server]") {
  Bench bench;
  const auto one = bench.connect();
  CHECK(bench.pages == 0);
  bench.send(one, kGet);
  const std::string answer = bench.answer(one);
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.ends_with("\r\n\r\ntext\n"));
  const auto other = bench.connect();
  bench.send(other,
             "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n");
  CHECK(bench.answer(other).ends_with("\r\n\r\nopen\n"));
  CHECK(bench.pages == 2);
}

TEST_CASE("a request may come in pieces", "[metrics][server]") {
  Bench bench;
  const auto reader = bench.connect();
  for (const char character : kGet) {
    CHECK(bench.open(reader));
    bench.send(reader, {&character, 1});
    bench.io.restart();
    bench.io.poll();
  }
  CHECK(bench.answer(reader).ends_with("text\n"));
}

TEST_CASE("what is no request is answered, and makes no page", "[metrics][server]") {
  Bench bench;
  for (const std::string& wrong :
       {std::string("\r\n"), std::string("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
        "GET /metrics HTTP/1.1\r\n" + std::string(9000, 'a')}) {
    const auto reader = bench.connect();
    bench.send(reader, wrong);
    CHECK(bench.answer(reader).starts_with("HTTP/1.1 4"));
  }
  CHECK(bench.pages == 0);
}

TEST_CASE("readers are few, and say nothing to those who are there", "[metrics][server]") {
  Bench bench;
  for (std::size_t i = 0; i < kMostReaders; ++i) bench.connect();
  const auto too_many = bench.connect();
  CHECK(bench.answer(too_many).starts_with("HTTP/1.1 503 "));
  for (std::size_t i = 0; i < kMostReaders; ++i) CHECK(bench.open(i));
  bench.send(3, kGet);
  CHECK(bench.answer(3).starts_with("HTTP/1.1 200 "));
  // There is room for one more once they have gone.
  for (const std::size_t gone : {std::size_t{3}, too_many}) bench.disconnect(gone);
  const auto next = bench.connect();
  bench.send(next, kGet);
  CHECK(bench.answer(next).starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a reader that goes leaves nothing behind", "[metrics][server]") {
  Bench bench;
  for (std::size_t i = 0; i < 3 * kMostReaders; ++i) {
    const auto reader = bench.connect();
    if (i % 2 == 0) bench.send(reader, i % 4 == 0 ? "GET /met" : kGet);
    bench.disconnect(reader);
  }
  const auto last = bench.connect();
  bench.send(last, kGet);
  CHECK(bench.answer(last).starts_with("HTTP/1.1 200 "));
}

TEST_CASE("readers may outlive the server", "[metrics][server]") {
  boost::asio::io_context io{1};
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  {
    MetricsServer metrics(io, [](Format) { return std::string("text\n"); });
    server::Listener::Socket socket(io.get_executor());
    socket.assign(boost::asio::local::stream_protocol(), ends[1]);
    metrics.accept(std::move(socket));
  }
  REQUIRE(::send(ends[0], kGet.data(), kGet.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(kGet.size()));
  char byte = 0;
  while (::recv(ends[0], &byte, 1, MSG_DONTWAIT) != 0) {
    io.restart();
    io.poll();
  }
  ::close(ends[0]);
}
