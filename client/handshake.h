#pragma once

// The start of every connection: connect, say hello, and get the daemon's terms. And how to wait
// for one answer on a connection that nobody else uses.

#include <expected>
#include <mutex>
#include <optional>
#include <string>

#include "client/inheritance.h"
#include "client/socket_stream.h"
#include "proto/message.h"
#include "proto/message_codec.h"
#include "proto/status.h"

namespace tbs::client {

// How long a daemon that is starting may keep a new client waiting. It answers by itself long
// before; this is for one that stands still.
inline constexpr std::chrono::seconds kGreetingPatience{90};

// How long an answer may take that is not the TPM's.
inline constexpr std::chrono::seconds kAnswerPatience = kGreetingPatience;

// A connection with nothing outstanding on it.
struct Connection {
  SocketStream stream;
  proto::FrameExtractor frames{proto::Direction::ToClient};
};

// A frame that came where a `wanted` was due, as a return code: what a refusal says, or that the
// peer broke the protocol.
proto::Status status_of_stray(const proto::Frame& frame);

// Sends a request and waits for the next frame, which has to be a Reply. What it refers to is valid
// until the next use of the connection.
template <typename Reply>
std::expected<Reply, proto::Status> ask(Connection& connection, proto::Bytes request,
                                        Deadline deadline) {
  const auto sent = connection.stream.send_all(request, deadline);
  // A daemon that refuses may have closed already: what it said is still there to read. One that
  // has not got the whole request has nothing to answer.
  if (!sent && sent.error().fault != StreamFault::Closed) {
    return std::unexpected(status_of(sent.error()));
  }
  const auto frame = connection.stream.receive_frame(connection.frames, deadline);
  if (!frame) return std::unexpected(status_of(frame.error()));
  if (frame->type != Reply::kType) return std::unexpected(status_of_stray(*frame));
  const auto reply = proto::decode<Reply>(frame->payload);
  if (!reply) return std::unexpected(proto::Status::InternalError);
  return *reply;
}

struct HandshakeResult {
  Connection connection;
  proto::HelloReply terms;                 // without the token
  std::optional<Inheritance> inheritance;  // of its children, where the daemon knows of it
};

// Lets another thread end a handshake that waits for the daemon's answer: it fails then. (A wait
// for a place in the daemon's backlog ends by itself.)
class Interruption {
 public:
  void interrupt();

 private:
  friend class InterruptibleWait;

  std::mutex mutex_;
  SocketStream* waiting_ = nullptr;
  bool interrupted_ = false;
};

// Connects to `path` and says hello. Fails with the return code that Tbsi_Context_Create gives.
// A deadline that comes before kGreetingPatience is over holds instead. `first`: what goes before
// the hello (proto/opener.h).
std::expected<HandshakeResult, proto::Status> handshake(const std::string& path,
                                                        const proto::Hello& hello,
                                                        Deadline deadline = {},
                                                        Interruption* interruption = nullptr,
                                                        proto::Bytes first = {});

}  // namespace tbs::client
