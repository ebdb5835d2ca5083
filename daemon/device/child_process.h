#pragma once

// One process with a socket to it: started, watched, killed and reaped without ever blocking the
// loop (pidfd, no SIGCHLD). Signals go through the pidfd, so they never reach a stranger. It may
// have been started by a predecessor of this process that has left the two descriptors; then it is
// nobody's child here, and who reaps it is the one that the kernel gave it to.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/device/transceiver.h"
#include "daemon/loop/deferred.h"

namespace tbs::device {

class ChildProcess {
 public:
  // "exit status 1", "killed by signal 9".
  using ExitHandler = std::move_only_function<void(std::string)>;

  // The program finds its end of the socket as descriptor 3, /dev/null as 0 and 1, and the
  // daemon's stderr as 2. `arguments` follow the program's name.
  static std::expected<std::unique_ptr<ChildProcess>, Failure> spawn(
      boost::asio::io_context& loop, const std::string& program,
      const std::vector<std::string>& arguments);

  // Takes over one that a predecessor has started. Both descriptors are taken, whatever comes of
  // it.
  static std::expected<std::unique_ptr<ChildProcess>, Failure> adopt(boost::asio::io_context& loop,
                                                                     int socket, int pidfd);

  // Kills and reaps whatever still runs: the one place that may block, for as long as the kernel
  // takes to kill a process, and who traces it to see that.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Calls `handler` once, from the loop, after the child has ended and was reaped. It is dropped
  // when this object is destroyed first. Call it once.
  void async_wait_exit(ExitHandler handler);

  // Queues a signal with a value; nothing happens once the child was reaped.
  void queue_signal(int signal, std::uint32_t value) const;
  void kill() const;
  // A successor takes it over: from now on nothing here ends it.
  void leave_behind() { ended_ = true; }
  // What a successor takes over, besides the socket.
  [[nodiscard]] int pidfd() { return pidfd_.native_handle(); }

  boost::asio::local::stream_protocol::socket& socket() { return socket_; }

 private:
  explicit ChildProcess(boost::asio::io_context& loop)
      : deferred_(loop), pidfd_(loop), pause_(loop), socket_(loop) {}

  void send(int signal, siginfo_t* info) const;
  void tell_exit(ExitHandler handler, int pauses);
  // Of one that has ended: how. Nothing while another process that traces it has not seen it.
  std::optional<std::string> reap();

  loop::Deferred deferred_;
  bool ended_ = false;  // and reaped, or left behind
  mutable boost::asio::posix::stream_descriptor pidfd_;
  boost::asio::steady_timer pause_;
  boost::asio::local::stream_protocol::socket socket_;
};

}  // namespace tbs::device
