#pragma once

// One connection to the daemon that carries a TBS context, used by any number of threads.
//
// There is no thread of its own. Of the threads that wait for an answer, one is the reader: it
// receives without holding the lock, hands each answer to the request it belongs to, and once it
// has its own it wakes another waiting thread to take over. So a program with one thread pays one
// send and one receive for a command, and nothing else.
//
// When the connection ends, every request that is open ends. One that the daemon cannot have had
// says so, and may be asked on another connection. A command that it may have had ends with
// IoError, whether the TPM has carried it out or not: nobody can know. The locks are taken in this
// order: `asking_`, `sending_`, `mutex_`. `asking_` is held until the answer has come, `sending_`
// while the socket has no room for the frame; nobody waits for the peer with `mutex_` held.

#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "client/handshake.h"
#include "client/open_requests.h"
#include "client/ready_signal.h"
#include "client/socket_stream.h"

namespace tbs::client {

struct Command {
  std::uint32_t locality = 0;
  std::uint32_t priority = 0;
  proto::Bytes bytes;
};

// What came of a request: a value, or the status that it ended with. Without a status it came to
// nothing: the connection had ended before the daemon had the whole of it.
template <typename Value = void>
using Outcome = std::expected<Value, std::optional<proto::Status>>;

class Channel {
 public:
  // Numbers of requests begin after `last_id`. `signal` is told of results.
  explicit Channel(HandshakeResult greeted, std::uint64_t last_id = 0,
                   std::shared_ptr<ReadySignal> signal = std::make_shared<ReadySignal>());
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // What the daemon said when the connection was opened.
  [[nodiscard]] const proto::HelloReply& terms() const { return terms_; }

  // Runs a command and waits for its response. `size` becomes the size of the response, which
  // is in `room` when all went well; with InsufficientBuffer it was larger and is lost. `room` may
  // be the memory of the command.
  Outcome<> submit(const Command& command, std::span<std::uint8_t> room, std::size_t& size);

  // Cancels all that is open, and waits until the daemon has seen to it.
  Outcome<> cancel();

  // The same, and waits for nothing but room in the socket.
  void post_cancel();

  // Cancels the command that was begun under this number, and waits for nothing but room in the
  // socket; nothing when the daemon is too old for it. Success also when it has its result already;
  // BadParameter: there is none, or its result was taken.
  std::optional<proto::Status> cancel_begun(std::uint64_t id);

  // Asks that an object or session of the context stays on the TPM, or no longer, and waits for the
  // answer. BadParameter: there is none; TooManyResources: as many as may be do already.
  Outcome<> make_sticky(std::uint32_t handle, bool sticky);

  // Asks the daemon something other than a command; the payload of its reply. For the questions
  // that channel.cpp names at its end. When no answer has come at the deadline, the connection
  // ends: nobody would know what a later one belongs to.
  template <typename Question>
  Outcome<proto::Buffer> ask(const Question& question, Deadline deadline);

  // Hands a command over without waiting for its response; its number. TooManyResources when as
  // many as the window allows are open or not taken.
  Outcome<std::uint64_t> begin(const Command& command);

  // Takes the result of a begun command; nothing when it is not there at the deadline. As with
  // submit(), but with InsufficientBuffer the response stays. BadParameter: there is no such
  // command, or another thread is taking its result.
  std::optional<proto::Status> take(std::uint64_t id, std::span<std::uint8_t> room,
                                    std::size_t& size, Deadline deadline);

  // Nobody will take the result of this begun command. It counts as open until it is answered.
  void abandon(std::uint64_t id);

  // How many begun commands are not answered or not taken.
  std::size_t begun_count();
  // The highest number that was given to a request.
  std::uint64_t last_id();

  // Ends the connection. What other threads wait for ends with CommandCanceled.
  void close();

  // Whether the connection has ended, from whichever side.
  bool ended();

 private:
  using Lock = std::unique_lock<std::mutex>;

  template <typename Message>
  Outcome<> ask(Lock& lock, Request& request, const Message& message, Deadline deadline);
  [[nodiscard]] std::optional<proto::Status> not_sent(const Request& request) const;
  // What came of waiting for bytes; cancelled: somebody used the cancel descriptor.
  enum class Read : std::uint8_t { Some, TimedOut, Canceled };

  void post_cancel(Lock& lock);
  template <typename Message>
  void post(Lock& lock, RequestKind kind, const Message& message);
  void wait(Lock& lock, Request& request, RequestState as_long_as, Deadline deadline);
  Read read_once(Lock& lock, Deadline deadline, bool heed_cancel);
  void hand_over_reading();
  [[nodiscard]] bool cancel_comes_first(Deadline deadline);
  std::expected<std::size_t, StreamError> receive(Deadline deadline);

  void dispatch_frames();
  void end(proto::Status why, proto::Status of_commands);
  void end(proto::Status why) { end(why, why); }

  template <typename Message>
  bool send(std::uint64_t id, const Message& message);
  template <typename Message>
  bool encode(std::uint64_t id, const Message& message);
  bool wait_to_send();
  void update_signal();

  Connection connection_;
  const proto::HelloReply terms_;

  std::mutex asking_;  // one question at a time

  std::mutex sending_;
  proto::Buffer outgoing_;  // under sending_

  std::mutex mutex_;      // everything below
  bool reading_ = false;  // a thread receives; it alone uses connection_.frames
  OpenRequests open_;
  // What the signal was told.
  const std::shared_ptr<ReadySignal> signal_;
  bool told_ready_ = false;
  bool watched_ = false;
};

}  // namespace tbs::client
