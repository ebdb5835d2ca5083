#pragma once

// Straight to swtpm's data socket. swtpm serves one data connection at a time, so several direct
// clients share one and take turns behind a mutex: the least that programs could do without a
// daemon.

#include <array>
#include <memory>
#include <mutex>
#include <string>

#include "tests/bench/client.h"
#include "tests/bench/fd.h"

namespace tbs::bench {

class DirectLine {
 public:
  explicit DirectLine(Fd socket) : socket_(std::move(socket)) {}

  // Sends the command and receives the whole response into `room`.
  proto::Bytes run(proto::Bytes command, std::span<std::uint8_t> room);

 private:
  std::mutex turn_;
  Fd socket_;
};

class DirectClient : public Client {
 public:
  explicit DirectClient(std::shared_ptr<DirectLine> line) : line_(std::move(line)) {}
  proto::Bytes run(proto::Bytes command) override { return line_->run(command, room_); }

 private:
  std::shared_ptr<DirectLine> line_;
  std::array<std::uint8_t, 4096> room_{};
};

// Clients that share one line to the data socket at `path`.
OpenClient direct_clients(const std::string& path);

}  // namespace tbs::bench
