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

// What is waited for, and so how long:
enum class Patience : std::uint8_t {
  Answer,   // 10 s: what the daemon says about itself, which comes at once
  Start,    // 90 s: what needs a TPM that may still be starting
  Tpm,      // 120 s: tbsctl's own TPM commands, all of them; they are short but wait for others'
  Command,  // as long as it takes: a user's own TPM command
};

// Whatever it is: when the first bytes of an answer have come, the rest has to come within 10 s.
class Conversation {
 public:
  explicit Conversation(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  // Says who we are; `wanted` are the TPM families a context can use. Fails with what the daemon
  // gives as the reason when it does not take us.
  std::expected<proto::HelloReply, Failure> handshake(proto::Role role, std::uint32_t wanted);
  std::expected<proto::HelloReply, Failure> handshake(proto::Role role, std::uint32_t wanted,
                                                      client::Deadline deadline);

  // How long the TPM commands of all that follows may take together, where nothing else is said.
  void give_tpm_until(client::Deadline deadline) { tpm_limit_ = deadline; }

  // From now on.
  static client::Deadline deadline_for(Patience patience);

  // The answer to a request, whatever its status. Byte fields in it are valid until the next call.
  // A series of requests that must end has one deadline.
  template <typename Request>
  std::expected<proto::ReplyTo<Request>, Failure> ask(const Request& request) {
    return ask(request, default_deadline(request));
  }
  template <typename Request>
  std::expected<proto::ReplyTo<Request>, Failure> ask(const Request& request,
                                                      client::Deadline deadline) {
    using Answer = proto::ReplyTo<Request>;
    const std::uint64_t id = ++last_id_;
    proto::Buffer frame;
    proto::append_frame(frame, id, request);
    auto payload = exchange(frame, id, {Request::kType, Answer::kType, deadline});
    if (!payload) return std::unexpected(std::move(payload.error()));
    auto answer = proto::decode<Answer>(*payload);
    if (!answer) return std::unexpected(broken("its answer cannot be read"));
    return *std::move(answer);
  }

 private:
  struct Expected {
    proto::Type question;
    proto::Type type;
    client::Deadline deadline;
  };

  client::Deadline default_deadline(const proto::Submit&) {
    if (!tpm_limit_) tpm_limit_ = deadline_for(Patience::Tpm);
    return tpm_limit_;
  }
  static client::Deadline default_deadline(const proto::Hello& hello) {
    return deadline_for(hello.role == proto::Role::Context ? Patience::Start : Patience::Answer);
  }
  static client::Deadline default_deadline(const proto::DeviceInfo&) {
    return deadline_for(Patience::Start);
  }
  static client::Deadline default_deadline(const auto&) { return deadline_for(Patience::Answer); }
  std::expected<proto::Bytes, Failure> exchange(const proto::Buffer& frame, std::uint64_t id,
                                                Expected expected);
  std::expected<proto::Frame, Failure> next_frame(client::Deadline deadline);
  static Failure broken(std::string_view why);

  std::unique_ptr<Stream> stream_;
  proto::FrameExtractor extractor_{proto::Direction::ToClient};
  std::uint64_t last_id_ = 0;
  client::Deadline tpm_limit_;
};

}  // namespace tbs::ctl
