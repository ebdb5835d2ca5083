#include "daemon/device/embedded_link.h"

#include <chrono>
#include <cstring>
#include <utility>

#include <errno.h>
#include <signal.h>

#include "daemon/base/ordered_store.h"
#include "daemon/device/embedded_record.h"

namespace tbs::device {
namespace {

using Socket = boost::asio::local::stream_protocol::socket;

// Making a new TPM takes a fraction of a second, minutes on a starved machine.
constexpr std::chrono::seconds kStartLimit{120};
// How long a child may take to leave by itself.
constexpr std::chrono::milliseconds kExitGrace{250};
// Writing a few 100 KiB to a disk that is busy.
constexpr std::chrono::seconds kSaveLimit{10};

Failure closed_failure() {
  return {.operation = "the embedded TPM was closed", .error = ECANCELED, .reopen = true};
}

std::string text_of(proto::Bytes payload) {
  return {payload.begin(), payload.end()};
}

}  // namespace

EmbeddedLink::EmbeddedLink(boost::asio::io_context& loop, std::unique_ptr<ChildProcess> child,
                           Facts facts, ResponseMemory& memory)
    : deferred_(loop),
      child_(std::move(child)),
      facts_(facts),
      timer_(loop),
      memory_(memory),
      sequence_(static_cast<std::uint32_t>(memory.device<EmbeddedRecord>().sequence)) {}

void EmbeddedLink::start(Transceiver::OpenHandler handler) {
  open_handler_ = std::move(handler);
  memory_.begin(0);
  watch_exit();
  timer_.expires_after(kStartLimit);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && self->open_handler_) self->lose("it did not start in time");
  });
  receive();
}

void EmbeddedLink::go_on() {
  from_predecessor_ = memory_.number() != 0 && memory_.command().sent.moved() > 0;
  unfinished_ = from_predecessor_ && !response_is_complete();
  watch_exit();
  receive();
}

void EmbeddedLink::watch_exit() {
  child_->async_wait_exit(
      [self = shared_from_this()](const std::string& status) { self->on_exit(status); });
}

std::vector<KeptDescriptor> EmbeddedLink::kept() {
  if (open_handler_ || lost_ || exited_) return {};
  return {{.name = kChildSocketName, .descriptor = child_->socket().native_handle()},
          {.name = kChildProcessName, .descriptor = child_->pidfd()}};
}

bool EmbeddedLink::take_handler(Transceiver::ResponseHandler handler) {
  if (lost_ && exited_) {
    deferred_.post_failure(std::move(handler), *lost_);
    return false;
  }
  response_handler_ = std::move(handler);
  return true;
}

void EmbeddedLink::transmit(std::span<const std::uint8_t> command, std::uint8_t locality,
                            Transceiver::ResponseHandler handler) {
  if (!take_handler(std::move(handler))) return;
  if (unfinished_) return lose("a command of the daemon before this one is unfinished");
  from_predecessor_ = false;
  looked_at_ = 0;
  next_sequence();
  outgoing_ = encode_child_frame(sequence_, locality, command);
  send();
}

void EmbeddedLink::resume(std::span<const std::uint8_t> command, std::uint8_t locality,
                          Transceiver::ResponseHandler handler) {
  if (!take_handler(std::move(handler))) return;
  if (memory_.command().sent.moved() == 0) next_sequence();
  from_predecessor_ = unfinished_ = false;
  outgoing_ = encode_child_frame(sequence_, locality, command);
  send();
  deferred_.post([self = shared_from_this()] {
    if (!self->lost_) self->look_at_frames();
  });
}

void EmbeddedLink::next_sequence() {
  if (++sequence_ == 0) ++sequence_;
  store_in_order(memory_.device<EmbeddedRecord>().sequence, sequence_);
}

void EmbeddedLink::send() {
  if (lost_) return;
  const auto all = memory_.command().sent.send(child_->socket().native_handle(), outgoing_);
  if (!all) return lose(std::string("sending it a command failed: ") + std::strerror(all.error()));
  if (*all) return;
  child_->socket().async_wait(Socket::wait_write,
                              [self = shared_from_this()](boost::system::error_code error) {
                                if (!error && self->response_handler_) self->send();
                              });
}

void EmbeddedLink::cancel() {
  if (response_handler_) child_->queue_signal(SIGUSR1, sequence_);
}

void EmbeddedLink::close(Transceiver::CloseHandler handler) {
  cancel();  // so that the child notices the end of its socket soon
  close_handlers_.push_back(std::move(handler));
  begin_end();
}

void EmbeddedLink::begin_end() {
  if (!lost_) lost_ = closed_failure();
  fail_waiting(closed_failure());
  if (exited_) return tell_closed();
  end_child();
}

void EmbeddedLink::save_and_close(Transceiver::CloseHandler handler) {
  if (lost_ || open_handler_ || response_handler_ || unfinished_) return close(std::move(handler));
  close_handlers_.push_back(std::move(handler));
  memory_.begin(0);
  transmit({}, kSaveState, [this](const Transceiver::Response&) {
    if (!lost_) begin_end();
  });
  timer_.expires_after(kSaveLimit);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error && !self->lost_) self->begin_end();
  });
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

void EmbeddedLink::leave_behind() {
  if (child_) child_->leave_behind();
  abandon();
}

void EmbeddedLink::receive() {
  child_->socket().async_wait(Socket::wait_read,
                              [self = shared_from_this()](boost::system::error_code error) {
                                if (error && !self->lost_) self->lose(error.message());
                                if (!self->lost_) self->on_readable();
                              });
}

void EmbeddedLink::on_readable() {
  const auto count =
      memory_.command().received.receive(child_->socket().native_handle(), memory_.response());
  if (count && *count == 0) return lose("its connection ended");
  if (!count && count.error() == ENOBUFS) return lose("it sends more than a response");
  if (!count && count.error() != EAGAIN) return lose("its connection ended");
  receive();
  if (!from_predecessor_) look_at_frames();
}

// The response last: whoever is told of it may begin the next command.
void EmbeddedLink::look_at_frames() {
  while (!lost_) {
    const proto::Bytes come = memory_.response().first(memory_.command().received.moved());
    const auto frame = first_child_frame(come.subspan(looked_at_));
    if (!frame) return lose(frame.error());
    if (!*frame) break;
    looked_at_ += (*frame)->size;
    on_frame(**frame);
  }
  if (lost_ || !response_) return;
  std::exchange(response_handler_, nullptr)(*std::exchange(response_, std::nullopt));
}

bool EmbeddedLink::response_is_complete() const {
  const proto::Bytes come = memory_.response().first(memory_.command().received.moved());
  const auto frame = first_child_frame(come);
  return frame && *frame && (*frame)->sequence == sequence_;
}

void EmbeddedLink::on_frame(const ChildFrameView& frame) {
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

void EmbeddedLink::on_response(const ChildFrameView& frame) {
  if (!response_handler_ || response_ || frame.sequence != sequence_) {
    return lose("it answered a command that nobody sent");
  }
  response_ = frame.payload;
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
