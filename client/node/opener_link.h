#pragma once

// The context of one who opened the node: a connection of their own to tbsd. Once it is lost it
// stays lost, and so does the file: what was on the TPM is gone, and a program that goes on would
// not know.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/channel.h"
#include "client/node/node_loop.h"
#include "proto/opener.h"

namespace tbs::node {

class OpenerLink : public std::enable_shared_from_this<OpenerLink> {
 public:
  // With Success, or why there is no context. Not after close().
  using OpenHandler = std::function<void(proto::Status)>;
  // A command's response, or an errno value.
  using ResultHandler = std::function<void(std::expected<proto::Buffer, int>)>;

  // The loop must outlive it; the key is its own there.
  OpenerLink(NodeLoop& loop, NodeLoop::Key key) : loop_(loop), key_(key) {}
  ~OpenerLink() = default;
  OpenerLink(const OpenerLink&) = delete;
  OpenerLink& operator=(const OpenerLink&) = delete;

  // False when there can be no more threads.
  [[nodiscard]] bool open(const std::string& socket, const proto::Opener& opener,
                          OpenHandler opened);
  // The handler is called from the loop, or from within this when the connection is lost; not once
  // the command was cancelled.
  void submit(proto::Buffer command, ResultHandler finished);
  void cancel();
  // Everything that waits ends. What is left of it goes when its threads have ended.
  void close();

 private:
  void opened(std::expected<client::HandshakeResult, proto::Status> greeted,
              const OpenHandler& tell);
  void begin(const proto::Buffer& command);
  void take();
  void finish(std::expected<proto::Buffer, int> outcome);
  void drop_cancelled();
  void cancel_came_back();

  NodeLoop& loop_;
  const NodeLoop::Key key_;
  const std::shared_ptr<client::ReadySignal> signal_ = std::make_shared<client::ReadySignal>();
  client::Interruption interruption_;
  std::shared_ptr<client::Channel> channel_;
  bool closed_ = false;
  std::optional<std::uint64_t> request_;  // the command that is out
  ResultHandler finished_;
  // Those that nobody waits for, whose results are still to be taken.
  std::vector<std::uint64_t> cancelled_;
  // A cancel is on its way: it would end what is sent now, so that waits.
  bool cancelling_ = false;
  std::optional<proto::Buffer> held_back_;
  proto::Buffer room_;
};

}  // namespace tbs::node
