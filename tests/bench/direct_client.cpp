#include "tests/bench/direct_client.h"

#include "tests/bench/unix_socket.h"

namespace tbs::bench {

proto::Bytes DirectLine::run(proto::Bytes command, std::span<std::uint8_t> room) {
  const std::lock_guard turn(turn_);
  send_whole(socket_.get(), command);
  return receive_tpm_message(socket_.get(), room);
}

OpenClient direct_clients(const std::string& path) {
  return [line = std::make_shared<DirectLine>(connect_unix(path))] {
    return std::make_unique<DirectClient>(line);
  };
}

}  // namespace tbs::bench
