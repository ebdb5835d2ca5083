#pragma once

// One child process with a socket to it: started, watched, killed and reaped without ever blocking
// the loop (pidfd, no SIGCHLD). While it is not reaped its process id cannot be reused, so signals
// never reach a stranger.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

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

  // Kills and reaps whatever still runs: the one place that may block, for as long as the kernel
  // takes to kill a process.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Calls `handler` once, from the loop, after the child has ended and was reaped. It is dropped
  // when this object is destroyed first. Call it once.
  void async_wait_exit(ExitHandler handler);

  // Queues a signal with a value; nothing happens once the child was reaped.
  void queue_signal(int signal, std::uint32_t value) const;
  void kill() const;

  boost::asio::local::stream_protocol::socket& socket() { return socket_; }

 private:
  ChildProcess(boost::asio::io_context& loop, pid_t pid)
      : deferred_(loop), pid_(pid), pidfd_(loop), socket_(loop) {}

  std::string reap(int options);

  loop::Deferred deferred_;
  pid_t pid_;  // 0 once reaped
  boost::asio::posix::stream_descriptor pidfd_;
  boost::asio::local::stream_protocol::socket socket_;
};

}  // namespace tbs::device
