// A hundred contexts in one loop and one thread: each hashes its number a few times, and the TPM's
// answers come as they come.
//   c++ -std=c++20 hundred.cpp $(pkg-config --cflags --libs tbs)
#include <array>
#include <cstdio>
#include <tbs/asio.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace {

// TPM2_Hash of one byte with SHA-256.
std::array<std::uint8_t, 19> hash_command(std::uint8_t byte) {
  return {0x80, 0x01, 0, 0, 0, 19, 0, 0, 0x01, 0x7d, 0, 1, byte, 0, 0x0b, 0x40, 0, 0, 0x07};
}

boost::asio::awaitable<void> work(tbs::async_context<> tpm, std::uint8_t number, int& done) {
  std::vector<std::uint8_t> first;
  for (int round = 0; round < 5; ++round) {
    const auto response =
        co_await tpm.async_submit(hash_command(number), boost::asio::use_awaitable);
    if (round == 0) first = response;
    if (response.size() > 12 && response == first) ++done;
  }
}

}  // namespace

int main() {
  boost::asio::io_context loop;
  int done = 0;
  for (std::uint8_t number = 0; number < 100; ++number) {
    auto tpm = tbs::async_context<>::open(loop.get_executor());
    if (!tpm) return std::fprintf(stderr, "no context: %s\n", tpm.error().message()), 1;
    boost::asio::co_spawn(loop, work(*std::move(tpm), number, done), boost::asio::detached);
  }
  loop.run();
  std::printf("%d of 500 commands\n", done);
  return done == 500 ? 0 : 1;
}
