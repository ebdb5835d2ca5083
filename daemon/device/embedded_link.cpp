#include "daemon/device/embedded_link.h"

#include <chrono>
#include <utility>

#include <errno.h>
#include <signal.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace tbs::device {
namespace {

// Making a new TPM takes a fraction of a second, minutes on a starved machine.
constexpr std::chrono::seconds kStartLimit{120};
// How long a child may take to leave by itself.
constexpr std::chrono::milliseconds kExitGrace{250};
constexpr std::size_t kReceiveSize = 8192;

Failure closed_failure() {
  return {.operation = "the embedded TPM was closed", .error = ECANCELED, .reopen = true};
}

std::string text_of(const proto::Buffer& payload) {
  return {payload.begin(), payload.end()};
}

}  // namespace

EmbeddedLink::EmbeddedLink(boost::asio::io_context& loop, std::unique_ptr<ChildProcess> child,
                           Facts facts)
    : deferred_(loop),
      child_(std::move(child)),
      facts_(facts),
      timer_(loop),
      receive_buffer_(kReceiveSize) {}

void EmbeddedLink::start(Transceiver::OpenHandler handler) {
  open_handler_ = std::move(handler);
  child_->async_wait_exit(
      [self = shared_from_this()](const std::string& status) { self->on_exit(status); });
  timer_.expires_after(kStartLimit);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && self->open_handler_) self->lose("it did not start in time");
  });
  receive();
}

void EmbeddedLink::transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                            Transceiver::ResponseHandler handler) {
  if (lost_ && exited_) {
    deferred_.post_failure(std::move(handler), *lost_);
    return;
  }
  response_handler_ = std::move(handler);
  if (++sequence_ == 0) ++sequence_;
  outgoing_ = encode_child_frame(sequence_, locality, command);
  boost::asio::async_write(
      child_->socket(), boost::asio::buffer(outgoing_),
      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
        if (error) self->lose("sending it a command failed: " + error.message());
      });
}

void EmbeddedLink::cancel() {
  if (response_handler_) child_->queue_signal(SIGUSR1, sequence_);
}

void EmbeddedLink::close(Transceiver::CloseHandler handler) {
  cancel();  // so that the child notices the end of its socket soon
  close_handlers_.push_back(std::move(handler));
  if (!lost_) lost_ = closed_failure();
  fail_waiting(closed_failure());
  if (exited_) return tell_closed();
  end_child();
}

// The child leaves by itself at the end of its socket; one that is busy or stuck is killed.
void EmbeddedLink::end_child() {
  boost::system::error_code ignored;
  child_->socket().close(ignored);
  timer_.expires_after(kExitGrace);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && self->child_) self->child_->kill();
  });
}

void EmbeddedLink::abandon() {
  deferred_.drop();
  open_handler_ = nullptr;
  response_handler_ = nullptr;
  close_handlers_.clear();
  loss_handler_ = nullptr;
  lost_ = closed_failure();
  timer_.cancel();
  child_.reset();  // cancels its operations, kills and reaps it
  exited_ = true;
}

void EmbeddedLink::receive() {
  child_->socket().async_read_some(
      boost::asio::buffer(receive_buffer_),
      [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
        if (self->lost_) return;
        if (error) return self->lose("its connection ended");
        self->on_received(proto::Bytes(self->receive_buffer_).first(count));
      });
}

void EmbeddedLink::on_received(proto::Bytes bytes) {
  assembler_.append(bytes);
  while (!lost_) {
    auto frame = assembler_.next();
    if (!frame) return lose(frame.error());
    if (!*frame) break;
    on_frame(**frame);
  }
  if (!lost_) receive();
}

void EmbeddedLink::on_frame(const ChildFrame& frame) {
  switch (static_cast<ReplyKind>(frame.kind)) {
    case ReplyKind::Ready:
      return on_ready();
    case ReplyKind::Response:
      return on_response(frame);
    case ReplyKind::Failed:
      return lose_with_advice(text_of(frame.payload));
  }
  lose("it sent a frame of unknown kind " + std::to_string(frame.kind));
}

void EmbeddedLink::on_ready() {
  if (!open_handler_) return lose("it said twice that it is ready");
  timer_.cancel();
  std::exchange(open_handler_, nullptr)(facts_);
}

void EmbeddedLink::on_response(const ChildFrame& frame) {
  if (!response_handler_ || frame.sequence != sequence_) {
    return lose("it answered a command that nobody sent");
  }
  std::exchange(response_handler_, nullptr)(frame.payload);
}

void EmbeddedLink::lose(std::string reason, std::string advice) {
  if (lost_) return;
  lost_ = Failure{.operation = "embedded TPM: " + std::move(reason),
                  .error = 0,
                  .reopen = true,
                  .advice = std::move(advice)};
  end_child();
}

// The reason, and on a line of its own what helps.
void EmbeddedLink::lose_with_advice(const std::string& text) {
  const std::size_t line = text.find('\n');
  lose(text.substr(0, line), line == text.npos ? "" : text.substr(line + 1));
}

void EmbeddedLink::on_exit(const std::string& status) {
  exited_ = true;
  timer_.cancel();
  if (!lost_) lost_ = Failure{.operation = "embedded TPM: its process ended", .reopen = true};
  lost_->operation += " (" + status + ")";
  boost::system::error_code ignored;
  child_->socket().close(ignored);
  const bool unnoticed = !open_handler_ && !response_handler_ && close_handlers_.empty();
  fail_waiting(*lost_);
  tell_closed();
  if (unnoticed && loss_handler_) loss_handler_(*lost_);
}

void EmbeddedLink::tell_closed() {
  for (auto& handler : std::exchange(close_handlers_, {})) deferred_.post(std::move(handler));
}

void EmbeddedLink::fail_waiting(const Failure& failure) {
  deferred_.post_failure(std::exchange(open_handler_, nullptr), failure);
  deferred_.post_failure(std::exchange(response_handler_, nullptr), failure);
}

}  // namespace tbs::device
