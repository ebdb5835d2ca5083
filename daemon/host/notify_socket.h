#pragma once

// The way to the service manager (NOTIFY_SOCKET, sd_notify(3)). It can be stopped for seconds, and
// its queue has room for few messages: sd_notify(3) itself waits then, and with it the loop. Here
// nothing waits, and who has sent too much is told.

#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace tbs::host {

class NotifySocket {
 public:
  // The service manager's socket is what NOTIFY_SOCKET says: empty for none.
  static std::string address_of_environment();

  NotifySocket(boost::asio::io_context& io, std::string address);

  // There is a service manager.
  [[nodiscard]] bool available() const { return socket_.is_open(); }

  // With a descriptor, unless that is -1. 0 or an errno value: EAGAIN when the queue is full.
  int send(const std::string& text, int descriptor = -1);
  // Whether it is worth another try: the queue is full, the machine has no memory, or too many
  // descriptors are under way.
  static bool passes_by_itself(int error);

  // Calls back from the loop as soon as the service manager has read something.
  template <typename Handler>
  void async_wait_writable(Handler handler) {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write, std::move(handler));
  }

 private:
  std::string address_;
  boost::asio::posix::stream_descriptor socket_;
};

}  // namespace tbs::host
