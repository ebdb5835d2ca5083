#include "client/handshake.h"

#include <algorithm>
#include <utility>

namespace tbs::client {

using proto::Status;

Status status_of_stray(const proto::Frame& frame) {
  if (frame.type != proto::Type::Refusal) return Status::InternalError;
  const auto refusal = proto::decode<proto::Refusal>(frame.payload);
  if (!refusal || refusal->status == Status::Success) return Status::InternalError;
  return refusal->status;
}

// As long as it lives, an interruption ends what waits for the stream.
class InterruptibleWait {
 public:
  InterruptibleWait(Interruption* interruption, SocketStream& stream)
      : interruption_(interruption) {
    if (interruption_ == nullptr) return;
    const std::lock_guard lock(interruption_->mutex_);
    interruption_->waiting_ = &stream;
    if (interruption_->interrupted_) stream.shutdown();
  }
  ~InterruptibleWait() {
    if (interruption_ == nullptr) return;
    const std::lock_guard lock(interruption_->mutex_);
    interruption_->waiting_ = nullptr;
  }
  InterruptibleWait(const InterruptibleWait&) = delete;
  InterruptibleWait& operator=(const InterruptibleWait&) = delete;

 private:
  Interruption* interruption_;
};

void Interruption::interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  if (waiting_ != nullptr) waiting_->shutdown();
}

namespace {

std::expected<proto::HelloReply, Status> greet(Connection& connection, const proto::Hello& hello,
                                               Deadline deadline, Interruption* interruption,
                                               proto::Bytes first) {
  const InterruptibleWait wait(interruption, connection.stream);
  proto::Buffer frame(first.begin(), first.end());
  proto::append_frame(frame, 0, hello);
  return ask<proto::ReplyTo<proto::Hello>>(connection, frame, deadline);
}

// The token is in the connection's memory.
std::optional<Inheritance> inheritance_by(const proto::HelloReply& terms) {
  Inheritance found{.context = terms.context};
  if (terms.token.size() != found.token.size()) return std::nullopt;
  std::ranges::copy(terms.token, found.token.begin());
  return found;
}

std::expected<HandshakeResult, Status> shake_hands(const std::string& path,
                                                   const proto::Hello& hello, Deadline deadline,
                                                   Interruption* interruption, proto::Bytes first) {
  auto stream = SocketStream::connect(path, deadline);
  if (!stream) return std::unexpected(status_of(stream.error()));
  Connection connection{.stream = std::move(*stream)};
  const auto terms = greet(connection, hello, deadline, interruption, first);
  if (!terms) return std::unexpected(terms.error());
  if (terms->status != Status::Success) return std::unexpected(terms->status);
  const auto inheritance = inheritance_by(*terms);
  HandshakeResult result{
      .connection = std::move(connection), .terms = *terms, .inheritance = inheritance};
  result.terms.token = {};
  return result;
}

// A daemon that ends just now takes nothing along but a hello, which can be said again.
constexpr unsigned kAttempts = 3;

}  // namespace

std::expected<HandshakeResult, Status> handshake(const std::string& path, const proto::Hello& hello,
                                                 Deadline deadline, Interruption* interruption,
                                                 proto::Bytes first) {
  const auto patience = Clock::now() + kGreetingPatience;
  deadline = std::min(deadline.value_or(patience), patience);
  auto result = shake_hands(path, hello, deadline, interruption, first);
  for (unsigned attempt = 1; attempt < kAttempts; ++attempt) {
    if (result || result.error() != Status::ServiceNotRunning) break;
    result = shake_hands(path, hello, deadline, interruption, first);
  }
  return result;
}

}  // namespace tbs::client
