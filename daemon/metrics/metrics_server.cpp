#include "daemon/metrics/metrics_server.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "daemon/loop/loop_gap.h"
#include "daemon/metrics/http_request.h"
#include "daemon/metrics/http_response.h"

namespace tbs::metrics {

namespace asio = boost::asio;

class MetricsServer::Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(std::shared_ptr<Shared> shared, server::Listener::Socket socket)
      : shared_(std::move(shared)),
        socket_(std::move(socket)),
        deadline_(shared_->io),
        pause_(shared_->io) {
    ++shared_->readers;
  }
  ~Reader() { --shared_->readers; }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void start(bool one_too_many) {
    deadline_.expires_after(kReaderTime);
    deadline_.async_wait([self = shared_from_this()](const boost::system::error_code& stopped) {
      if (!stopped) self->close();
    });
    if (one_too_many) return refuse({.status = HttpStatus::Unavailable});
    read();
  }

 private:
  void read() {
    socket_.async_read_some(
        asio::buffer(input_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
          if (error) return self->close();
          self->take(size);
        });
  }

  void take(std::size_t size) {
    const auto request = request_.feed(proto::Bytes(input_).first(size));
    if (!request) return read();
    if (request->status != HttpStatus::Ok) return refuse(*request);
    answer_in_turn(*request);
  }

  void answer_in_turn(const HttpRequest& request) {
    const TimePoint now = std::chrono::steady_clock::now();
    const TimePoint turn = std::max(now, shared_->next_page);
    shared_->next_page = turn + kPagePause;
    if (turn == now) return answer(request);
    pause_.expires_at(turn);
    pause_.async_wait(
        [self = shared_from_this(), request](const boost::system::error_code& stopped) {
          if (!stopped) self->answer(request);
        });
  }

  void answer(const HttpRequest& request) {
    loop::LoopGap::of(shared_->io).note(std::chrono::steady_clock::now());
    if (!shared_->make_page) return close();
    write(page_response(request, shared_->make_page(request.format)));
  }

  void refuse(const HttpRequest& request) { write(error_response(request)); }

  void write(std::string response) {
    output_ = std::move(response);
    asio::async_write(
        socket_, asio::buffer(output_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          error ? self->close() : self->end();
        });
  }

  // A socket that is closed with something unread in it takes the answer away from its reader.
  void end() {
    boost::system::error_code error;
    socket_.shutdown(server::Listener::Socket::shutdown_send, error);
    error ? close() : drain();
  }

  void drain() {
    socket_.async_read_some(
        asio::buffer(input_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
          self->drained_ += size;
          error || self->drained_ > kMostRequest ? self->close() : self->drain();
        });
  }

  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    deadline_.cancel();
    pause_.cancel();
  }

  std::shared_ptr<Shared> shared_;
  server::Listener::Socket socket_;
  asio::steady_timer deadline_;
  asio::steady_timer pause_;
  std::array<std::uint8_t, 2048> input_{};
  HttpRequestReader request_;
  std::size_t drained_ = 0;
  std::string output_;
};

MetricsServer::MetricsServer(asio::io_context& io, MakePage make_page)
    : shared_(std::make_shared<Shared>(
          Shared{.io = io, .make_page = std::move(make_page), .readers = 0, .next_page = {}})) {}

MetricsServer::~MetricsServer() {
  shared_->make_page = nullptr;
}

void MetricsServer::accept(server::Listener::Socket socket) {
  // Those that are told so are bounded as well.
  if (shared_->readers >= 2 * kMostReaders) return;
  const bool one_too_many = shared_->readers >= kMostReaders;
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  std::make_shared<Reader>(shared_, std::move(socket))->start(one_too_many);
}

}  // namespace tbs::metrics
