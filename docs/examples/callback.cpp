// Asks the TPM for a random number, with a callback, and gives up after a time or at Ctrl-C: then
// the command is cancelled, wherever it is.
//   c++ -std=c++20 callback.cpp $(pkg-config --cflags --libs tbs)
#include <array>
#include <cstdio>
#include <tbs/asio.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

int main() {
  constexpr std::array<std::uint8_t, 12> get_random = {0x80, 0x01, 0,    0,    0, 12,
                                                       0,    0,    0x01, 0x7b, 0, 8};
  boost::asio::io_context loop;
  auto tpm = tbs::async_context<>::open(loop.get_executor());
  if (!tpm) return std::fprintf(stderr, "no context: %s\n", tpm.error().message()), 1;

  int exit_code = 1;
  boost::asio::cancellation_signal cancel;
  boost::asio::signal_set interrupted(loop, SIGINT);
  interrupted.async_wait([&](boost::system::error_code failed, int) {
    if (!failed) cancel.emit(boost::asio::cancellation_type::terminal);
  });
  tpm->async_submit(
      get_random, {.timeout = std::chrono::seconds(10)},
      boost::asio::bind_cancellation_slot(
          cancel.slot(), [&](boost::system::error_code failed, std::vector<std::uint8_t> response) {
            interrupted.cancel();
            if (failed) {
              std::fprintf(stderr, "%s\n", failed.message().c_str());
              return;
            }
            for (std::size_t i = 12; i < response.size(); ++i) {
              std::printf("%02x", unsigned{response[i]});
            }
            std::printf("\n");
            exit_code = response.size() == 20 ? 0 : 1;
          }));
  loop.run();
  return exit_code;
}
