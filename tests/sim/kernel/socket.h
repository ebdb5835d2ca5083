#pragma once

// A connected stream socket with the daemon at one end and a simulated client at the other.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "proto/byte_writer.h"
#include "tests/sim/kernel/file.h"

namespace tbs::sim {

// What Asio wakes itself up with: it is always ready.
class EventFile final : public File {
 public:
  Moved write(std::span<const std::uint8_t> bytes) override {
    wake();
    return bytes.size();
  }
  Moved read(std::span<std::uint8_t> bytes) override { return bytes.size(); }
  [[nodiscard]] std::uint32_t ready() override { return EPOLLIN; }
};

// What both ends share.
struct Pipe {
  // As much as the kernel keeps for each direction.
  static constexpr std::size_t kRoom = std::size_t{208} << 10;

  proto::Buffer to_daemon;
  std::size_t taken = 0;  // of its beginning
  proto::Buffer to_client;
  bool client_closed = false;
  bool daemon_closed = false;
  std::function<void()> client_wake;  // something has changed for the client
  File* daemon_end = nullptr;         // while somebody has it

  [[nodiscard]] std::size_t waiting() const { return to_daemon.size() - taken; }
  void tell_client() const {
    if (client_wake) client_wake();
  }
};

class Socket final : public File {
 public:
  Socket(std::shared_ptr<Pipe> pipe, const ucred& peer) : pipe_(std::move(pipe)), peer_(peer) {
    pipe_->daemon_end = this;
  }
  ~Socket() override {
    pipe_->daemon_end = nullptr;
    Socket::shut_down();
  }

  Moved read(std::span<std::uint8_t> to) override;
  Moved write(std::span<const std::uint8_t> from) override;
  [[nodiscard]] std::uint32_t ready() override;
  [[nodiscard]] std::size_t available() override { return pipe_->waiting(); }
  void shut_down() override;

  [[nodiscard]] const ucred& peer() const { return peer_; }

 private:
  std::shared_ptr<Pipe> pipe_;
  ucred peer_;
};

}  // namespace tbs::sim
