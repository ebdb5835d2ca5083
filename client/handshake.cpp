#include "client/handshake.h"

#include <utility>

namespace tbs::client {

using proto::Status;

Status status_of_stray(const proto::Frame& frame) {
  if (frame.type != proto::Type::Refusal) return Status::InternalError;
  const auto refusal = proto::decode<proto::Refusal>(frame.payload);
  if (!refusal || refusal->status == Status::Success) return Status::InternalError;
  return refusal->status;
}

std::expected<HandshakeResult, Status> handshake(const std::string& path,
                                                 const proto::Hello& hello) {
  const Deadline deadline = Clock::now() + kGreetingPatience;
  auto stream = SocketStream::connect(path, deadline);
  if (!stream) return std::unexpected(status_of(stream.error()));
  Connection connection{.stream = std::move(*stream)};
  proto::Buffer frame;
  proto::append_frame(frame, 0, hello);
  // A daemon that refuses may have closed already: what it said is still there to read.
  (void)connection.stream.send_all(frame, deadline);
  const auto terms = receive_reply<proto::ReplyTo<proto::Hello>>(connection, deadline);
  if (!terms) return std::unexpected(terms.error());
  if (terms->status != Status::Success) return std::unexpected(terms->status);
  return HandshakeResult{.connection = std::move(connection), .terms = *terms};
}

}  // namespace tbs::client
