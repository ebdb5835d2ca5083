#include "daemon/server/connection.h"

#include <utility>

#include <poll.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

namespace tbs::server {
namespace {

// Buffers of a connection that has had much to send are given back once it is idle.
constexpr std::size_t kKeptOutput = 16384;

}  // namespace

Connection::Connection(Socket socket, std::uint64_t id, LinkOwner& owner)
    : socket_(std::move(socket)), id_(id), owner_(owner) {}

void Connection::start() {
  boost::system::error_code error;
  socket_.non_blocking(true, error);
  if (error) {
    fail();
    return;
  }
  read();
}

void Connection::set_window_full(bool full) {
  window_full_ = full;
  process();
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.close(ignored);
}

bool Connection::may_read() const {
  return !closed_ && !window_full_ && unsent() < proto::kMaxPendingOutput && owner_.wants_more(id_);
}

void Connection::process() {
  if (processing_) return;
  processing_ = true;
  const auto self = shared_from_this();
  while (may_read()) {
    const auto frame = input_.next();
    if (!frame) {
      owner_.on_fault(id_, frame.error());
      break;
    }
    if (!*frame) break;
    owner_.on_frame(id_, **frame);
  }
  processing_ = false;
  read();
}

void Connection::read() {
  if (reading_ || closed_) return;
  if (!may_read()) {
    watch();
    return;
  }
  reading_ = true;
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
        self->input_.commit(count);
        self->process();
      });
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

void Connection::flush() {
  if (writing_ || closed_) return;
  boost::system::error_code error;
  while (unsent() > 0 && !error) {
    sent_ += socket_.write_some(boost::asio::buffer(output_.data() + sent_, unsent()), error);
  }
  if (!error) {
    output_.clear();
    sent_ = 0;
    if (output_.capacity() > kKeptOutput) output_.shrink_to_fit();
    return;
  }
  writing_ = true;
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
                       if (!self->closed_) self->owner_.on_drained(self->id_);
                       self->process();
                     });
}

void Connection::fail() {
  if (closed_) return;
  close();
  owner_.on_closed(id_);
}

}  // namespace tbs::server
