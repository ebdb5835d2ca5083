#pragma once

// The client's end of a connection: frames out, frames in, as slowly as its user likes.

#include <cstdint>
#include <functional>
#include <memory>

#include "daemon/server/socket_profile.h"
#include "proto/frame.h"
#include "proto/message_codec.h"
#include "tests/sim/kernel/socket.h"
#include "tests/sim/world.h"

namespace tbs::sim {

class Simulation;

class Link : public std::enable_shared_from_this<Link> {
 public:
  struct Events {
    std::function<void(const proto::Frame&)> frame;
    std::function<void()> closed;
  };

  Link(Simulation& simulation, std::uint64_t number, Events events);

  void connect(std::uint32_t uid, const server::SharedProfile& profile);
  template <typename Message>
  void send(std::uint64_t request, Message message) {
    proto::Buffer frame;
    proto::append_frame(frame, request, std::move(message));
    send_bytes(frame);
  }
  void send_bytes(proto::Bytes bytes);
  // Nothing is told after it.
  void close();
  void read_nothing(bool nothing);
  [[nodiscard]] std::size_t unsent() const { return unsent_.size(); }
  [[nodiscard]] bool is_open() const { return open_; }

 private:
  void wake();
  void push();
  void look();

  Simulation& simulation_;
  std::uint64_t number_;
  Events events_;
  std::shared_ptr<Pipe> pipe_ = std::make_shared<Pipe>();
  proto::FrameExtractor extractor_{proto::Direction::ToClient};
  proto::Buffer unsent_;
  Time opened_ = 0;
  bool open_ = false;
  bool woken_ = false;
  bool reads_ = true;
};

}  // namespace tbs::sim
