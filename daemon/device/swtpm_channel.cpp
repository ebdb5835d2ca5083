#include "daemon/device/swtpm_channel.h"

#include <utility>

#include <errno.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

namespace tbs::device {
namespace {

using boost::system::error_code;

// Wraps a handler of an asynchronous operation of an object that may be gone by then.
template <class Call>
auto guarded(const std::shared_ptr<const void>& alive, Call call) {
  return [watch = std::weak_ptr<const void>(alive),
          call = std::move(call)](const auto&... arguments) mutable {
    if (!watch.expired()) call(arguments...);
  };
}

std::string advice_for(int error) {
  if (error != ENOENT && error != ECONNREFUSED && error != ETIMEDOUT) return {};
  return "start swtpm (swtpm socket --tpm2 --server ... --ctrl ...) or correct the device";
}

}  // namespace

std::string SwtpmAddress::text() const {
  return path.empty() ? host + ":" + std::to_string(port) : path;
}

SwtpmConnection::SwtpmConnection(boost::asio::io_context& loop, SwtpmAddress address)
    : address_(std::move(address)), resolver_(loop), socket_(loop), timer_(loop) {}

void SwtpmConnection::connect(Handler handler, std::chrono::milliseconds limit) {
  handler_ = std::move(handler);
  timer_.expires_after(limit);
  timer_.async_wait(guarded(alive_, [this](error_code error) {
    if (!error) finish(boost::asio::error::timed_out);
  }));
  if (address_.path.empty()) return resolve();
  candidates_ = {Endpoint(boost::asio::local::stream_protocol::endpoint(address_.path))};
  try_next({});
}

StreamSocket* SwtpmConnection::take_over(int descriptor, int family) {
  error_code error;
  socket_.assign(boost::asio::generic::stream_protocol(family, 0), descriptor, error);
  if (error) {
    ::close(descriptor);
    return nullptr;
  }
  socket_.non_blocking(true, error);
  return error ? nullptr : &socket_;
}

// Asio asks the resolver in a thread of its own.
void SwtpmConnection::resolve() {
  resolver_.async_resolve(
      address_.host, std::to_string(address_.port),
      guarded(alive_,
              [this](error_code error, const boost::asio::ip::tcp::resolver::results_type& found) {
                if (error) return finish(error);
                for (const auto& entry : found) {
                  candidates_.insert(candidates_.begin(), Endpoint(entry.endpoint()));
                }
                try_next(boost::asio::error::host_not_found);
              }));
}

void SwtpmConnection::try_next(error_code last_error) {
  if (!handler_) return;
  if (candidates_.empty()) return finish(last_error);
  const Endpoint endpoint = candidates_.back();
  candidates_.pop_back();
  error_code ignored;
  socket_.close(ignored);
  socket_.async_connect(endpoint, guarded(alive_, [this](error_code error) {
                          if (error) return try_next(error);
                          finish(error);
                        }));
}

void SwtpmConnection::finish(error_code error) {
  if (!handler_) return;
  timer_.cancel();
  resolver_.cancel();
  auto handler = std::exchange(handler_, nullptr);
  if (!error) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    if (address_.path.empty()) socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    return handler(&socket_);
  }
  error_code ignored;
  socket_.close(ignored);
  const bool system = error.category() == boost::system::system_category();
  std::string operation = "connect to swtpm at " + address_.text();
  if (!system) operation += " (" + error.message() + ")";
  handler(std::unexpected(Failure{.operation = std::move(operation),
                                  .error = system ? error.value() : 0,
                                  .reopen = true,
                                  .advice = advice_for(error.value())}));
}

ControlExchange::ControlExchange(boost::asio::io_context& loop, const SwtpmAddress& address,
                                 ControlCommand command, std::uint8_t locality)
    : address_(address),
      request_(encode_control(command, locality)),
      reader_(command),
      connection_(loop, address),
      timer_(loop) {}

void ControlExchange::start(Handler handler, std::chrono::milliseconds limit_from_now) {
  handler_ = std::move(handler);
  limit(limit_from_now);
  connection_.connect(
      [this](const std::expected<StreamSocket*, Failure>& socket) {
        if (!socket) return finish(std::unexpected(socket.error()));
        on_connected(**socket);
      },
      limit_from_now);
}

void ControlExchange::limit(std::chrono::milliseconds limit) {
  timer_.expires_after(limit);
  timer_.async_wait(guarded(alive_, [this](error_code error) {
    if (!error) finish(std::unexpected(failure(ETIMEDOUT)));
  }));
}

void ControlExchange::on_connected(StreamSocket& socket) {
  socket_ = &socket;
  boost::asio::async_write(socket, boost::asio::buffer(request_),
                           guarded(alive_, [this](error_code error, std::size_t) {
                             if (error) finish(std::unexpected(failure(error.value())));
                           }));
  receive();
}

void ControlExchange::receive() {
  socket_->async_read_some(
      boost::asio::buffer(buffer_), guarded(alive_, [this](error_code error, std::size_t count) {
        if (error) return finish(std::unexpected(failure(ECONNRESET)));
        auto answer = reader_.feed(proto::Bytes(buffer_).first(count));
        if (!answer) {
          return finish(std::unexpected(Failure{.operation = "swtpm: " + answer.error()}));
        }
        if (!*answer) return receive();
        finish(**answer);
      }));
}

void ControlExchange::finish(std::expected<ControlAnswer, Failure> result) {
  if (!handler_) return;
  timer_.cancel();
  error_code ignored;
  if (socket_ != nullptr) socket_->close(ignored);
  std::exchange(handler_, nullptr)(std::move(result));
}

Failure ControlExchange::failure(int error) const {
  return {.operation = "ask swtpm's control channel at " + address_.text(), .error = error};
}

}  // namespace tbs::device
