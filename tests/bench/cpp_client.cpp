#include "tests/bench/cpp_client.h"

#include <stdexcept>
#include <utility>

namespace tbs::bench {
namespace {

context opened(const std::string& socket) {
  auto tpm = context::open({.socket = socket.c_str()});
  if (!tpm) throw std::runtime_error(std::string("tbs::context: ") + tpm.error().message());
  return *std::move(tpm);
}

}  // namespace

CppClient::CppClient(const std::string& socket) : tpm_(opened(socket)) {}

proto::Bytes CppClient::run(proto::Bytes command) {
  const auto response = tpm_.submit(command, room_);
  if (!response) throw std::runtime_error(std::string("submit: ") + response.error().message());
  return *response;
}

}  // namespace tbs::bench
