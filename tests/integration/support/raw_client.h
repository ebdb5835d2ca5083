#pragma once

// A blocking client straight on the wire protocol. It sends what it is told, right or wrong, and
// waits for answers with a deadline, so that a test fails instead of hanging.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "proto/byte_writer.h"
#include "proto/message.h"
#include "proto/message_codec.h"
#include "tests/integration/support/eventually.h"

namespace tbs::test {

// TBS_COMMAND_PRIORITY_*.
inline constexpr std::uint32_t kLow = 100;
inline constexpr std::uint32_t kNormal = 200;
inline constexpr std::uint32_t kHigh = 300;
inline constexpr std::uint32_t kMax = 0x80000000;

// A frame from the daemon.
struct Received {
  proto::Type type;
  std::uint64_t request_id;
  proto::Buffer payload;
};

// The answer to a submit.
struct Answer {
  std::uint64_t request_id;
  proto::Status status;
  proto::Buffer response;
};

// One whole frame.
template <typename Message>
proto::Buffer frame_of(std::uint64_t request_id, const Message& message) {
  proto::Buffer frame;
  proto::append_frame(frame, request_id, message);
  return frame;
}

proto::Buffer submit_frame(std::uint64_t request_id, const proto::Buffer& command,
                           std::uint32_t priority = kNormal);

class RawClient {
 public:
  // Connects; throws when nobody listens.
  explicit RawClient(const std::string& socket_path);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&& other) noexcept;

  // Connected and greeted as a context or an observer; throws when the daemon does not want it.
  static RawClient context(const std::string& socket_path);
  static RawClient observer(const std::string& socket_path);
  static bool can_connect(const std::string& socket_path);

  proto::HelloReply hello(proto::Role role, std::uint32_t wanted = proto::kWantTpm20);
  // What the daemon calls this connection in its listings.
  [[nodiscard]] std::uint64_t context_id() const { return context_id_; }

  // Sends all of it; throws when the daemon does not take it in time.
  void send_bytes(proto::Bytes bytes);
  // As much as the daemon takes at once: 0 when its side of the socket is full.
  std::size_t send_some(proto::Bytes bytes);
  template <typename Message>
  void send(std::uint64_t request_id, const Message& message) {
    send_bytes(frame_of(request_id, message));
  }
  void submit(std::uint64_t request_id, const proto::Buffer& command,
              std::uint32_t priority = kNormal) {
    send_bytes(submit_frame(request_id, command, priority));
  }
  void shut_down_sending();
  void close();

  // The next frame, or nothing when the daemon has closed the connection. Throws on a timeout.
  std::optional<Received> receive(std::chrono::milliseconds patience = kPatience);
  // The next frame, which must be a Result, in the order in which the daemon sends them.
  Answer receive_result(std::chrono::milliseconds patience = kPatience);
  // Whether a frame is there already, or comes within this time.
  bool has_frame(std::chrono::milliseconds patience);

  // Sends a request and returns its answer, which must be the next frame.
  template <typename Request>
  proto::ReplyTo<Request> ask(const Request& request) {
    send(++last_id_, request);
    return expect<proto::ReplyTo<Request>>(last_id_);
  }
  // Submits a command and returns its answer, which must be the next frame.
  Answer call(const proto::Buffer& command, std::uint32_t priority = kNormal);
  // The response to a command that must reach the TPM.
  proto::Buffer response(const proto::Buffer& command);

  // The next frame must be this message. Not for messages with a Bytes field.
  template <typename Message>
  Message expect(std::uint64_t request_id) {
    const auto received = receive();
    if (!received) throw std::runtime_error("the daemon closed the connection");
    if (received->type != Message::kType || received->request_id != request_id) {
      throw std::runtime_error("the daemon answered with another message than expected");
    }
    auto message = proto::decode<Message>(received->payload);
    if (!message) throw std::runtime_error("the daemon's message does not decode");
    return *std::move(message);
  }

 private:
  int socket_;
  std::uint64_t last_id_ = 1'000'000;  // away from the numbers that tests choose
  std::uint64_t context_id_ = 0;
  proto::FrameExtractor input_{proto::Direction::ToClient};
};

}  // namespace tbs::test
