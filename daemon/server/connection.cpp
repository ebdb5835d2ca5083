#include "daemon/server/connection.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

namespace tbs::server {
namespace {

// Buffers of a connection that has had much to send are given back once it is idle.
constexpr std::size_t kKeptOutput = 4096;

// One turn is this many frames, or what can be done of them in this time.
constexpr unsigned kFramesInTurn = 8;
constexpr std::chrono::microseconds kTurn{50};

}  // namespace

Connection::Connection(Socket socket, std::uint64_t id, LinkOwner& owner, TurnRunner& turns,
                       ClientKeeper* keeper)
    : socket_(std::move(socket)), id_(id), owner_(owner), turns_(turns), keeper_(keeper) {}

void Connection::adopt(const Left& left) {
  for (proto::Bytes rest = left.input; !rest.empty();) {
    const auto room = input_.writable();
    const std::size_t count = std::min(room.size(), rest.size());
    std::ranges::copy(rest.first(count), room.begin());
    input_.commit(count);
    rest = rest.subspan(count);
  }
  fresh_input_ = !left.input.empty();
  output_.assign(left.output.begin(), left.output.end());
  kept_ = output_.size();
}

void Connection::start(AccountId account) {
  account_ = account;
  started_ = true;
  boost::system::error_code error;
  socket_.non_blocking(true, error);
  if (error) {
    fail();
    return;
  }
  if (unsent() > 0) flush();
  proceed();
}

void Connection::set_window_full(bool full) {
  window_full_ = full;
  proceed();
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  if (keeper_ != nullptr) keeper_->gone(id_);
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  // Whoever keeps the socket for a successor has it still, and as long as that is so epoll would go
  // on to tell of it: to the descriptor that has its place in Asio's tables by then.
  const int descriptor = socket_.release(ignored);
  if (!ignored) ::close(descriptor);
}

bool Connection::may_read() {
  return !closed_ && !window_full_ && unsent() < proto::kMaxPendingOutput && owner_.wants_more(id_);
}

bool Connection::has_input() {
  if (waits_for_turn_) return true;
  boost::system::error_code error;
  return socket_.available(error) > 0 && !error;
}

void Connection::proceed() {
  if (!started_ || closed_ || in_turn_ || waits_for_turn_) return;
  if (fresh_input_ && may_read()) {
    waits_for_turn_ = true;
    turns_.want(account_, shared_from_this());
  } else {
    read();
  }
}

void Connection::take_turn() {
  waits_for_turn_ = false;
  if (closed_) return;
  in_turn_ = true;
  handle_frames();
  in_turn_ = false;
  if (closed_) return;
  if (std::exchange(told_unhandled_, unhandled()) != unhandled()) owner_.on_kept(id_);
  proceed();
}

void Connection::handle_frames() {
  const auto end = std::chrono::steady_clock::now() + kTurn;
  for (unsigned count = 0; may_read(); ++count) {
    if (count == kFramesInTurn || (count > 0 && std::chrono::steady_clock::now() >= end)) return;
    const auto frame = input_.next();
    if (!frame) {
      fresh_input_ = false;
      owner_.on_fault(id_, frame.error());
      return;
    }
    if (!*frame) {
      fresh_input_ = false;
      return;
    }
    if (keeper_ != nullptr) {
      keeper_->handled(id_, proto::kFrameHeaderSize + (*frame)->payload.size());
    }
    owner_.on_frame(id_, **frame);
    if (input_.buffered() == 0) {
      fresh_input_ = false;
      return;
    }
  }
}

void Connection::received(std::size_t count) {
  input_.commit(count);
  fresh_input_ = true;
  proceed();
}

void Connection::read() {
  if (reading_ || closed_) return;
  if (!may_read()) {
    watch();
    return;
  }
  reading_ = true;
  if (keeper_ != nullptr) {
    socket_.async_wait(Socket::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         self->reading_ = false;
                         if (self->closed_) return;
                         if (error) {
                           self->fail();
                           return;
                         }
                         self->receive_kept();
                       });
    return;
  }
  const auto room = input_.writable();
  socket_.async_read_some(
      boost::asio::buffer(room.data(), room.size()),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
        self->reading_ = false;
        if (self->closed_) return;
        if (error) {
          self->fail();
          return;
        }
        self->received(count);
      });
}

void Connection::receive_kept() {
  // What was reason enough to read may have gone meanwhile.
  if (!may_read()) {
    proceed();
    return;
  }
  const auto room = input_.writable();
  const auto bytes = keeper_->receive(id_, socket_.native_handle(), room.size());
  if (!bytes && (bytes.error() == EAGAIN || bytes.error() == EINTR)) {
    read();
  } else if (!bytes || bytes->empty()) {
    fail();
  } else {
    std::ranges::copy(*bytes, room.begin());
    received(bytes->size());
  }
}

void Connection::watch() {
  if (watching_) return;
  watching_ = true;
  socket_.async_wait(Socket::wait_error,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->watching_ = false;
                       if (self->closed_) return;
                       if (error || self->peer_has_gone()) self->fail();
                     });
}

// Urgent data ends the wait as well and means nothing here.
bool Connection::peer_has_gone() {
  pollfd state{.fd = socket_.native_handle(), .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

void Connection::keep_output() {
  if (keeper_ == nullptr || kept_ == output_.size()) return;
  keeper_->queued(id_, proto::Bytes(output_).subspan(kept_));
  kept_ = output_.size();
}

std::size_t Connection::write(boost::system::error_code& error) {
  const proto::Bytes rest = proto::Bytes(output_).subspan(sent_);
  if (keeper_ == nullptr) {
    return socket_.write_some(boost::asio::buffer(rest.data(), rest.size()), error);
  }
  const auto sent = keeper_->send(id_, socket_.native_handle(), rest);
  if (!sent) error.assign(sent.error(), boost::system::system_category());
  return sent.value_or(0);
}

void Connection::flush() {
  if (closed_) return;
  keep_output();
  if (writing_) return;
  boost::system::error_code error;
  while (unsent() > 0 && !error) sent_ += write(error);
  if (!error) {
    output_.clear();
    sent_ = kept_ = 0;
    if (output_.capacity() > kKeptOutput) output_.shrink_to_fit();
    return;
  }
  writing_ = true;
  owner_.on_kept(id_);
  const bool full = error == boost::asio::error::would_block;
  if (!full) {
    // Told from the loop: whoever sends is not ready to see its connection end under its hands.
    boost::asio::post(socket_.get_executor(), [self = shared_from_this()] { self->fail(); });
    return;
  }
  socket_.async_wait(Socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& wait_error) {
                       self->writing_ = false;
                       if (self->closed_) return;
                       if (wait_error) {
                         self->fail();
                         return;
                       }
                       self->flush();
                       self->drained();
                     });
}

void Connection::drained() {
  if (closed_) return;
  owner_.on_kept(id_);
  proceed();
}

void Connection::fail() {
  if (closed_) return;
  close();
  owner_.on_closed(id_);
}

}  // namespace tbs::server
