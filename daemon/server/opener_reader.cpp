#include "daemon/server/opener_reader.h"

#include <array>
#include <chrono>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/host/audit.h"

namespace tbs::server {
namespace {

// As long as for a hello.
constexpr std::chrono::seconds kOpenerPatience{5};
// More than any service has on the way at a time.
constexpr int kMostUnnamed = 1024;

}  // namespace

class OpenerReader::Newcomer : public std::enable_shared_from_this<Newcomer> {
 public:
  Newcomer(OpenerReader& reader, Connection::Socket socket, Handler handler)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        handler_(std::move(handler)),
        wanted_(reader.waiting_.watch()),
        count_(reader.count_) {
    ++*count_;
  }
  ~Newcomer() { --*count_; }
  Newcomer(const Newcomer&) = delete;
  Newcomer& operator=(const Newcomer&) = delete;

  void start() {
    timer_.expires_after(kOpenerPatience);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& stopped) {
      const auto self = weak.lock();
      boost::system::error_code ignored;
      if (self && !stopped) self->socket_.close(ignored);
    });
    boost::asio::async_read(
        socket_, boost::asio::buffer(bytes_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          self->timer_.cancel();
          if (!error && !self->wanted_.expired()) self->named();
        });
  }

 private:
  void named() {
    const auto opener = proto::read_opener(bytes_);
    if (opener) return handler_(std::move(socket_), *opener);
    host::audit(spdlog::level::warn, proto::Event::Refused, {},
                "a connection of the socket for nodes did not say for whom it is; closed");
  }

  Connection::Socket socket_;
  boost::asio::steady_timer timer_;
  Handler handler_;
  std::weak_ptr<const void> wanted_;
  std::shared_ptr<int> count_;
  std::array<std::uint8_t, proto::kOpenerSize> bytes_{};
};

void OpenerReader::read(Connection::Socket socket, Handler handler) {
  if (*count_ >= kMostUnnamed) return;
  boost::system::error_code error;
  socket.non_blocking(true, error);
  if (error) return;
  std::make_shared<Newcomer>(*this, std::move(socket), std::move(handler))->start();
}

}  // namespace tbs::server
