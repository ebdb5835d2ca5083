#pragma once

// A connected Unix stream socket to tbsd: connect, send all of something, receive, with deadlines.
// Signals never break a transfer (EINTR) and a daemon that went away never raises one (SIGPIPE).
// One thread may send while another receives; two may not do the same at once.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "client/descriptor.h"
#include "proto/byte_reader.h"
#include "proto/frame.h"
#include "proto/status.h"

namespace tbs::client {

using Clock = std::chrono::steady_clock;
// Nothing: waits for as long as it takes.
using Deadline = std::optional<Clock::time_point>;

enum class StreamFault : std::uint8_t {
  BadPath,     // empty, or longer than a socket address holds (107 bytes)
  NotRunning,  // nobody listens there
  Denied,      // the socket's permissions keep this user out
  Closed,      // the peer closed the connection, or shutdown() was called
  TimedOut,    // the deadline passed
  Protocol,    // the peer sent what is no frame
  Failed,      // any other error of the system
};

struct StreamError {
  StreamFault fault;
  int system_error = 0;  // errno, where there was one
};

// The return code an API function gives for it.
proto::Status status_of(const StreamError& error);
// One line for people.
std::string describe(const StreamError& error);

class SocketStream {
 public:
  // Connects to the socket file at `path`. Waits while the daemon's backlog is full, until the
  // deadline.
  static std::expected<SocketStream, StreamError> connect(const std::string& path,
                                                          Deadline deadline = {});

  explicit SocketStream(Descriptor socket) : socket_(std::move(socket)) {}

  // Sends everything before it returns, unless it fails.
  std::expected<void, StreamError> send_all(proto::Bytes bytes, Deadline deadline = {});

  // Sends as much as the socket takes at once, possibly nothing; how many bytes they were.
  std::expected<std::size_t, StreamError> send_some(proto::Bytes bytes);

  // Receives at least one byte into `room`, which must not be empty; how many they were.
  std::expected<std::size_t, StreamError> receive(std::span<std::uint8_t> room,
                                                  Deadline deadline = {});

  // The next frame, received as far as it is not buffered yet. It is valid until `frames` is used
  // again.
  std::expected<proto::Frame, StreamError> receive_frame(proto::FrameExtractor& frames,
                                                         Deadline deadline = {});

  // Ends the connection for all threads and processes that have it; a receive that waits in
  // another thread returns Closed.
  void shutdown();

  [[nodiscard]] int descriptor() const { return socket_.get(); }
  // See Descriptor.
  void keep_in_children(std::uint64_t label) { socket_.keep_in_children(label); }

 private:
  Descriptor socket_;
};

// Whether it is over. What waits asks only when nothing has come: a peer that always has something
// to say is stopped by this.
[[nodiscard]] inline bool is_over(Deadline deadline) {
  return deadline && Clock::now() >= *deadline;
}

// Waits until `descriptor` has one of `events` (poll(2)); false when the deadline passed first.
bool wait_for(int descriptor, short events, Deadline deadline);
// Waits until one of them can be read; true when the second can, or both.
bool wait_for_either(int first, int second, Deadline deadline);

}  // namespace tbs::client
