#pragma once

// Through tbsd, with tbs/asio.hpp: a loop that has nothing else to do, and a callback.

#include <cstdint>
#include <string>
#include <tbs/asio.hpp>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "tests/bench/client.h"

namespace tbs::bench {

class AsioClient : public Client {
 public:
  explicit AsioClient(const std::string& socket);
  proto::Bytes run(proto::Bytes command) override;

 private:
  using Tpm = async_context<boost::asio::io_context::executor_type>;

  static Tpm opened(boost::asio::io_context& loop, const std::string& socket);

  boost::asio::io_context loop_;
  Tpm tpm_;
  std::vector<std::uint8_t> response_;
};

}  // namespace tbs::bench
