// Serves random bytes of the TPM on a Unix socket: a client sends a byte, and gets as many (at most
// 32) as it says. A coroutine for each client; a client that hangs up has its command cancelled.
//   c++ -std=c++20 server.cpp $(pkg-config --cflags --libs tbs) && ./a.out /tmp/random.sock
#include <algorithm>
#include <array>
#include <cstdio>
#include <tbs/asio.hpp>

#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace {

using boost::asio::awaitable;
using boost::asio::use_awaitable;
using boost::asio::local::stream_protocol;
using Socket = stream_protocol::socket;
using namespace boost::asio::experimental::awaitable_operators;

std::array<std::uint8_t, 12> get_random(std::uint8_t count) {
  return {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, count};
}

// Ends when the client says the next thing, or goes.
awaitable<void> hears_of(Socket& socket) {
  co_await socket.async_wait(Socket::wait_read, use_awaitable);
}

awaitable<void> serve(Socket socket, tbs::async_pool<>& tpms) {
  for (;;) {
    std::uint8_t count = 0;
    co_await boost::asio::async_read(socket, boost::asio::buffer(&count, 1), use_awaitable);
    const auto command = get_random(std::min<std::uint8_t>(count, 32));
    const auto done = co_await (tpms.async_submit(command, use_awaitable) || hears_of(socket));
    if (done.index() != 0) continue;  // the command is cancelled
    const auto& response = std::get<0>(done);
    if (response.size() < 12) co_return;
    co_await boost::asio::async_write(
        socket, boost::asio::buffer(response.data() + 12, response.size() - 12), use_awaitable);
  }
}

awaitable<void> accept(stream_protocol::acceptor& acceptor, tbs::async_pool<>& tpms) {
  for (;;) {
    auto [failed, socket] = co_await acceptor.async_accept(boost::asio::as_tuple(use_awaitable));
    if (failed) co_return;
    boost::asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), tpms),
                          boost::asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: server SOCKET\n", stderr), 2;
  boost::asio::io_context loop;
  auto tpms = tbs::async_pool<>::open(loop.get_executor(), 4);
  if (!tpms) return std::fprintf(stderr, "no context: %s\n", tpms.error().message()), 1;
  try {
    stream_protocol::acceptor acceptor(loop, stream_protocol::endpoint(argv[1]));
    boost::asio::signal_set signals(loop, SIGINT, SIGTERM);
    signals.async_wait([&](auto, auto) { loop.stop(); });
    boost::asio::co_spawn(loop, accept(acceptor, *tpms), boost::asio::detached);
    loop.run();
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
  ::unlink(argv[1]);
  return 0;
}
