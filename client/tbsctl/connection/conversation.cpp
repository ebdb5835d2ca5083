#include "client/tbsctl/connection/conversation.h"

#include <algorithm>
#include <utility>

#include "client/tbsctl/text/format.h"
#include "proto/message_list.h"

namespace tbs::ctl {
namespace {

// A daemon from before this message had its number says so in these words, and hangs up.
Failure too_old(proto::Type question) {
  const proto::MessageRule* const rule = proto::rule_of(proto::number_of(question));
  return {.exit = Exit::Failed,
          .message = "this tbsd is older than tbsctl and does not know the question \"" +
                     std::string(rule->name) +
                     "\"; if it was upgraded, restart it, else use the tbsctl of its version"};
}

Failure refused(const proto::Frame& frame, proto::Type question) {
  const auto refusal = proto::decode<proto::Refusal>(frame.payload);
  if (!refusal) return tbs_failure("tbsd closed the connection", proto::Status::InternalError);
  if (refusal->reason == proto::fault_text(proto::FrameFault::UnknownType)) {
    return too_old(question);
  }
  return tbs_failure("tbsd closed the connection, \"" + printable(refusal->reason) + "\"",
                     refusal->status);
}

client::Deadline earlier(client::Deadline one, client::Deadline other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

}  // namespace

client::Deadline Conversation::deadline_for(Patience patience) {
  // A daemon that lives answers long before; these are for one that stands still.
  switch (patience) {
    case Patience::Answer:
      return client::Clock::now() + std::chrono::seconds(10);
    case Patience::Start:
      return client::Clock::now() + std::chrono::seconds(90);
    case Patience::Tpm:
      return client::Clock::now() + std::chrono::seconds(120);
    case Patience::Command:
      break;
  }
  return {};
}

Failure Conversation::broken(std::string_view why) {
  return {.exit = Exit::Failed,
          .message = "tbsd does not speak as expected: " + std::string(why) +
                     "; are tbsd and tbsctl of the same version?"};
}

std::expected<proto::HelloReply, Failure> Conversation::handshake(proto::Role role,
                                                                  std::uint32_t wanted) {
  return handshake(role, wanted, default_deadline(proto::Hello{.role = role}));
}

std::expected<proto::HelloReply, Failure> Conversation::handshake(proto::Role role,
                                                                  std::uint32_t wanted,
                                                                  client::Deadline deadline) {
  auto reply = ask(proto::Hello{.role = role, .wanted = wanted}, deadline);
  if (reply && reply->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("tbsd does not open a context", reply->status));
  }
  return reply;
}

std::expected<proto::Bytes, Failure> Conversation::exchange(const proto::Buffer& frame,
                                                            std::uint64_t id, Expected expected) {
  const auto sent = stream_->send(frame, expected.deadline);
  // A daemon that has refused us may have closed already: what it said is worth more than the
  // failure to write, and is there. There is nothing to wait for.
  const auto left_behind = client::Clock::now() + std::chrono::seconds(1);
  auto answer = next_frame(sent ? expected.deadline : earlier(left_behind, expected.deadline));
  if (!answer) return std::unexpected(sent ? answer.error() : sent.error());
  if (answer->type == proto::Type::Refusal)
    return std::unexpected(refused(*answer, expected.question));
  if (answer->type != expected.type || answer->request_id != id) {
    return std::unexpected(broken("it answered another question"));
  }
  return answer->payload;
}

std::expected<proto::Frame, Failure> Conversation::next_frame(client::Deadline deadline) {
  bool begun = false;
  while (true) {
    auto frame = extractor_.next();
    if (!frame) return std::unexpected(broken(proto::fault_text(frame.error())));
    if (frame->has_value()) return **frame;
    const auto count = stream_->receive(extractor_.writable(), deadline);
    if (!count) return std::unexpected(count.error());
    extractor_.commit(*count);
    if (!std::exchange(begun, true)) deadline = earlier(deadline, deadline_for(Patience::Answer));
  }
}

}  // namespace tbs::ctl
