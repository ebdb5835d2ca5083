#include "client/tbsctl/connection/conversation.h"

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

Failure refused(const proto::Frame& frame) {
  const auto refusal = proto::decode<proto::Refusal>(frame.payload);
  if (!refusal) return tbs_failure("tbsd closed the connection", proto::Status::InternalError);
  return tbs_failure("tbsd closed the connection, \"" + printable(refusal->reason) + "\"",
                     refusal->status);
}

}  // namespace

Failure Conversation::broken(std::string_view why) {
  return {.exit = Exit::Failed,
          .message = "tbsd does not speak as expected: " + std::string(why) +
                     "; are tbsd and tbsctl of the same version?"};
}

std::expected<proto::HelloReply, Failure> Conversation::handshake(proto::Role role,
                                                                  std::uint32_t wanted) {
  auto reply = ask(proto::Hello{.role = role, .wanted = wanted});
  if (reply && reply->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("tbsd does not open a context", reply->status));
  }
  return reply;
}

std::expected<proto::Bytes, Failure> Conversation::exchange(const proto::Buffer& frame,
                                                            std::uint64_t id, Expected expected) {
  // A daemon that has refused us may have closed already: what it said is worth more than the
  // failure to write.
  const auto sent = stream_->send(frame);
  auto answer = next_frame(expected.patience);
  if (!answer) return std::unexpected(sent ? answer.error() : sent.error());
  if (answer->type == proto::Type::Refusal) return std::unexpected(refused(*answer));
  if (answer->type != expected.type || answer->request_id != id) {
    return std::unexpected(broken("it answered another question"));
  }
  return answer->payload;
}

std::expected<proto::Frame, Failure> Conversation::next_frame(Patience patience) {
  while (true) {
    auto frame = extractor_.next();
    if (!frame) return std::unexpected(broken(proto::fault_text(frame.error())));
    if (frame->has_value()) return **frame;
    const auto count = stream_->receive(extractor_.writable(), patience);
    if (!count) return std::unexpected(count.error());
    extractor_.commit(*count);
  }
}

}  // namespace tbs::ctl
