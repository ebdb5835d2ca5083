#pragma once

// One conversation with tbsd: the hello, then one request after the other, each with its answer
// (docs/protocol.md). tbsctl never has more than one request outstanding.

#include <memory>

#include "client/tbsctl/connection/stream.h"
#include "client/tbsctl/text/failure.h"
#include "proto/frame.h"
#include "proto/message.h"
#include "proto/message_codec.h"

namespace tbs::ctl {

class Conversation {
 public:
  explicit Conversation(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  // Says who we are; `wanted` are the TPM families a context can use. Fails with what the daemon
  // gives as the reason when it does not take us.
  std::expected<proto::HelloReply, Failure> handshake(proto::Role role, std::uint32_t wanted);

  // The answer to a request, whatever its status. Byte fields in it are valid until the next call.
  template <typename Request>
  std::expected<proto::ReplyTo<Request>, Failure> ask(const Request& request) {
    using Answer = proto::ReplyTo<Request>;
    const std::uint64_t id = ++last_id_;
    proto::Buffer frame;
    proto::append_frame(frame, id, request);
    auto payload = exchange(frame, id, {Answer::kType, patience_for(request)});
    if (!payload) return std::unexpected(std::move(payload.error()));
    auto answer = proto::decode<Answer>(*payload);
    if (!answer) return std::unexpected(broken("its answer cannot be read"));
    return *std::move(answer);
  }

 private:
  struct Expected {
    proto::Type type;
    Patience patience;
  };

  static Patience patience_for(const proto::Submit&) { return Patience::Command; }
  static Patience patience_for(const proto::Hello& hello) {
    return hello.role == proto::Role::Context ? Patience::Start : Patience::Answer;
  }
  static Patience patience_for(const proto::DeviceInfo&) { return Patience::Start; }
  static Patience patience_for(const auto&) { return Patience::Answer; }
  std::expected<proto::Bytes, Failure> exchange(const proto::Buffer& frame, std::uint64_t id,
                                                Expected expected);
  std::expected<proto::Frame, Failure> next_frame(Patience patience);
  static Failure broken(std::string_view why);

  std::unique_ptr<Stream> stream_;
  proto::FrameExtractor extractor_{proto::Direction::ToClient};
  std::uint64_t last_id_ = 0;
};

}  // namespace tbs::ctl
