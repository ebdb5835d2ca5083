#pragma once

// A TBS context as its program has it: it outlives connections. When the daemon has gone, the next
// call connects anew, with all that the first connection was asked for. What the context owned on
// the TPM is lost with the connection, but handles are not used twice: the daemon numbers objects
// of a later connection from another start (Hello::earlier), so that a handle from before names
// nothing.
//
// What the daemon cannot have had is asked again on the new connection. What it may have had is
// not: a command must not run twice.
//
// Of the threads that find the connection ended, one connects and the others wait for it. The lock
// is never held while waiting for the daemon.

#include <condition_variable>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/channel.h"

namespace tbs::client {

// What a forked child is to get of a context: nothing, or copies of its objects. For that it keeps
// the connection open, without using it, until it calls Descriptor::close_inherited(): what belongs
// to the context stays there as long, even if the parent has ended.
enum class Forks : std::uint8_t { Nothing, Copies };

class Context {
 public:
  // Connects to the socket at `path`, or for an empty one to that of the two fixed places which the
  // process may open, at each connection anew. `wanted`: proto::kWant...
  static std::expected<std::shared_ptr<Context>, proto::Status> open(std::string path,
                                                                     std::uint32_t wanted,
                                                                     Forks forks = Forks::Nothing);

  // What the daemon said at the last connection.
  proto::HelloReply terms();
  // What a child that is forked now needs to get copies of it. Nothing from an older daemon.
  std::optional<Inheritance> inheritance();
  // In the child's own context, before its first command: asks for the copies.
  proto::Status inherit(const Inheritance& from);
  // How many connections were lost and made anew.
  std::uint32_t reconnections();

  // As those of a channel.
  proto::Status submit(const Command& command, std::span<std::uint8_t> room, std::size_t& size);
  proto::Status make_sticky(std::uint32_t handle, bool sticky);
  template <typename Question>
  std::expected<proto::Buffer, proto::Status> ask(const Question& question, Deadline deadline) {
    return on_channel<proto::Buffer>(
        [&](Channel& channel) { return channel.ask(question, deadline); }, deadline);
  }

  // The same. Results of lost connections count as not taken until they are.
  std::expected<std::uint64_t, proto::Status> begin(const Command& command, Deadline deadline = {});
  std::optional<proto::Status> take(std::uint64_t id, std::span<std::uint8_t> room,
                                    std::size_t& size, Deadline deadline);

  // Submits, and cancels all that is open when there is no response at the deadline; nothing when
  // that was the end of it.
  std::optional<proto::Status> submit_within(const Command& command, std::span<std::uint8_t> room,
                                             std::size_t& size, Deadline deadline);

  // Cancels all that is open, threads that connect included. Success without a connection: then
  // nothing is open.
  proto::Status cancel();

  // As that of a channel.
  std::optional<proto::Status> cancel_begun(std::uint64_t id);

  // The same for every connection; see ReadySignal. -1 when the system has no descriptor left.
  int poll_descriptor() { return signal_->descriptor(); }
  // What is written to it cancels all that is open, as soon as a thread waits; see CancelSignal.
  int cancel_descriptor();
  // The owner has a result of its own to be taken, or no longer.
  void show_result() { signal_->add(); }
  void hide_result() { signal_->remove(); }

  // What other threads wait for ends with CommandCanceled.
  void close();

 private:
  using Lock = std::unique_lock<std::mutex>;
  using SharedChannel = std::shared_ptr<Channel>;
  // A call: the connection it has, and how often everything had been cancelled when it began.
  struct Call {
    SharedChannel channel;
    std::uint64_t cancels;
    Deadline deadline;
  };

  Context(std::string path, std::uint32_t wanted, Forks forks)
      : path_(std::move(path)), wanted_(wanted), forks_(forks) {}

  template <typename Value, typename Attempt>
  std::expected<Value, proto::Status> on_channel(Attempt attempt, Deadline deadline = {});
  Call begin_call(Deadline deadline);
  std::expected<SharedChannel, proto::Status> replace(const Call& call);
  std::expected<SharedChannel, proto::Status> connect(Lock& lock, const Call& call);
  std::expected<HandshakeResult, proto::Status> greet(std::uint32_t earlier, Deadline deadline,
                                                      Interruption* interruption) const;
  void install(HandshakeResult greeted);
  [[nodiscard]] bool given_up(const Call& call) const {
    return closed_ || cancels_ != call.cancels;
  }
  void interrupt_connecting();
  SharedChannel holder_of(std::uint64_t id);
  void forget_taken();
  std::size_t untaken_of_earlier();
  void abandon(std::uint64_t id);

  const std::string path_;
  const std::uint32_t wanted_;
  const Forks forks_;
  const std::shared_ptr<ReadySignal> signal_ = std::make_shared<ReadySignal>();

  std::mutex mutex_;  // everything below
  SharedChannel channel_;
  std::optional<Inheritance> inheritance_;
  std::uint64_t first_id_ = 0;  // numbers above it are of `channel_`
  // Ended connections with results that nobody has taken, and the last number of each.
  struct Earlier {
    SharedChannel channel;
    std::uint64_t last_id;
  };
  std::vector<Earlier> earlier_;
  std::uint32_t reconnections_ = 0;
  std::uint64_t cancels_ = 0;
  bool closed_ = false;
  Interruption* connecting_ = nullptr;  // of the thread that connects
  std::uint64_t failures_ = 0;          // to connect, and why it failed last
  proto::Status last_failure_ = proto::Status::Success;
  std::condition_variable changed_;
};

// Each connection that was made in vain makes another one worth a try, but not without end.
inline constexpr unsigned kMostConnectionsPerCall = 4;

template <typename Value, typename Attempt>
std::expected<Value, proto::Status> Context::on_channel(Attempt attempt, Deadline deadline) {
  Call call = begin_call(deadline);
  for (unsigned i = 0; i < kMostConnectionsPerCall; ++i) {
    auto outcome = attempt(*call.channel);
    if (outcome) {
      if constexpr (std::is_void_v<Value>) {
        return {};
      } else {
        return *std::move(outcome);
      }
    }
    if (outcome.error()) return std::unexpected(*outcome.error());
    auto next = replace(call);
    if (!next) return std::unexpected(next.error());
    call.channel = *std::move(next);
  }
  return std::unexpected(proto::Status::ServiceNotRunning);
}

}  // namespace tbs::client
