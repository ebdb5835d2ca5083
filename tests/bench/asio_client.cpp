#include "tests/bench/asio_client.h"

#include <stdexcept>
#include <utility>

namespace tbs::bench {

AsioClient::AsioClient(const std::string& socket) : tpm_(opened(loop_, socket)) {}

AsioClient::Tpm AsioClient::opened(boost::asio::io_context& loop, const std::string& socket) {
  auto tpm = Tpm::open(loop.get_executor(), {.socket = socket.c_str()});
  if (!tpm) throw std::runtime_error(std::string("tbs::async_context: ") + tpm.error().message());
  return *std::move(tpm);
}

proto::Bytes AsioClient::run(proto::Bytes command) {
  boost::system::error_code failed;
  tpm_.async_submit(command,
                    [&](boost::system::error_code why, std::vector<std::uint8_t> response) {
                      failed = why;
                      response_ = std::move(response);
                    });
  loop_.restart();
  loop_.run();
  if (failed) throw std::runtime_error("async_submit: " + failed.message());
  return response_;
}

}  // namespace tbs::bench
