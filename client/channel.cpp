#include "client/channel.h"

#include <new>
#include <utility>

#include <poll.h>

namespace tbs::client {

using proto::Status;

Channel::Channel(HandshakeResult greeted, std::uint64_t last_id,
                 std::shared_ptr<ReadySignal> signal)
    : connection_(std::move(greeted.connection)),
      terms_(greeted.terms),
      open_(greeted.terms.window, last_id),
      signal_(std::move(signal)) {}

Channel::~Channel() {
  if (watched_) signal_->unwatch(connection_.stream.descriptor());
  if (told_ready_) signal_->remove();
}

Outcome<> Channel::submit(const Command& command, std::span<std::uint8_t> room, std::size_t& size) {
  Request request;
  Lock lock(mutex_);
  if (open_.ended()) return std::unexpected(std::nullopt);
  open_.enter_command(request);
  wait(lock, request, RequestState::HeldBack, {});
  if (request.state == RequestState::Done) return std::unexpected(not_sent(request));
  lock.unlock();
  const bool sent =
      send(request.id, proto::Submit{command.locality, command.priority, command.bytes});
  lock.lock();
  if (sent) request.room = room;
  wait(lock, request, RequestState::Outstanding, {});
  if (!sent) return std::unexpected(not_sent(request));
  size = request.size;
  if (request.status != Status::Success) return std::unexpected(request.status);
  if (!request.deliver(room)) return std::unexpected(Status::InsufficientBuffer);
  return {};
}

// Of a request that the daemon cannot have had the whole of: no status, unless it is over for a
// reason of this side.
std::optional<Status> Channel::not_sent(const Request& request) const {
  const bool given_up =
      request.status == Status::CommandCanceled || request.status == Status::InternalError;
  return given_up ? std::optional(request.status) : std::nullopt;
}

Outcome<> Channel::cancel() {
  Request request{.kind = RequestKind::Cancel};
  Lock lock(mutex_);
  if (open_.ended()) return std::unexpected(std::nullopt);
  open_.give_up_held_back(Status::CommandCanceled);
  auto outcome = ask(lock, request, proto::Cancel{}, Clock::now() + kAnswerPatience);
  // Closed meanwhile by another thread: that has cancelled everything too.
  if (!outcome && outcome.error() == Status::CommandCanceled) return {};
  return outcome;
}

void Channel::post_cancel() {
  Lock lock(mutex_);
  if (!open_.ended()) post_cancel(lock);
}

void Channel::post_cancel(Lock& lock) {
  open_.give_up_held_back(Status::CommandCanceled);
  post(lock, RequestKind::Cancel, proto::Cancel{});
}

std::optional<Status> Channel::cancel_begun(std::uint64_t id) {
  Lock lock(mutex_);
  const Request* const request = open_.begun(id);
  if (request == nullptr) return Status::BadParameter;
  if (request->state == RequestState::Done) return Status::Success;
  if (terms_.version < proto::kCancelCommandVersion) return std::nullopt;
  post(lock, RequestKind::CancelCommand, proto::CancelCommand{.request = id});
  return Status::Success;
}

template <typename Message>
void Channel::post(Lock& lock, RequestKind kind, const Message& message) {
  std::uint64_t id = 0;
  try {
    id = open_.post_cancel(kind);
  } catch (const std::bad_alloc&) {
    return end(Status::InternalError);
  }
  lock.unlock();
  send(id, message);
  lock.lock();
}

Outcome<> Channel::make_sticky(std::uint32_t handle, bool sticky) {
  Request request{.kind = RequestKind::MakeSticky};
  Lock lock(mutex_);
  if (open_.ended()) return std::unexpected(std::nullopt);
  return ask(lock, request, proto::MakeSticky{.handle = handle, .sticky = sticky ? 1U : 0U},
             Clock::now() + kAnswerPatience);
}

template <typename Message>
Outcome<> Channel::ask(Lock& lock, Request& request, const Message& message, Deadline deadline) {
  open_.enter(request);
  lock.unlock();
  const bool sent = send(request.id, message);
  lock.lock();
  wait(lock, request, RequestState::Outstanding, deadline);
  // It stands still: what it has done of the commands nobody can say.
  if (request.state == RequestState::Outstanding) end(Status::ServiceNotRunning, Status::IoError);
  if (!sent) return std::unexpected(not_sent(request));
  if (request.status != Status::Success) return std::unexpected(request.status);
  return {};
}

template <typename Question>
Outcome<proto::Buffer> Channel::ask(const Question& question, Deadline deadline) {
  const std::lock_guard asking(asking_);
  Request request{.kind = RequestKind::Question, .reply = proto::ReplyTo<Question>::kType};
  Lock lock(mutex_);
  if (open_.ended()) return std::unexpected(std::nullopt);
  if (is_over(deadline)) return std::unexpected(Status::ServiceNotRunning);
  if (const auto asked = ask(lock, request, question, deadline); !asked) {
    return std::unexpected(asked.error());
  }
  return std::move(request.kept);
}

Outcome<std::uint64_t> Channel::begin(const Command& command) {
  Lock lock(mutex_);
  if (open_.ended()) return std::unexpected(std::nullopt);
  const auto begun = open_.begin_command();
  if (!begun) return std::unexpected(begun.error());
  Request& request = **begun;
  const std::uint64_t id = request.id;
  request.awaited = true;  // nobody else knows of it yet
  update_signal();
  lock.unlock();
  const bool sent = send(id, proto::Submit{command.locality, command.priority, command.bytes});
  lock.lock();
  if (!sent) wait(lock, request, RequestState::Outstanding, {});
  request.awaited = false;
  const auto failure = not_sent(request);
  if (!sent) open_.forget(request);
  update_signal();
  if (!sent) return std::unexpected(failure);
  return id;
}

std::optional<Status> Channel::take(std::uint64_t id, std::span<std::uint8_t> room,
                                    std::size_t& size, Deadline deadline) {
  Lock lock(mutex_);
  Request* const request = open_.begun(id);
  if (request == nullptr || request->awaited) return Status::BadParameter;
  request->awaited = true;
  wait(lock, *request, RequestState::Outstanding, deadline);
  request->awaited = false;
  std::optional<Status> result;
  if (request->state == RequestState::Done) {
    result = request->status;
    size = request->size;
    if (*result == Status::Success && !request->deliver(room)) {
      result = Status::InsufficientBuffer;
    } else {
      open_.forget(*request);
    }
  }
  update_signal();
  return result;
}

void Channel::abandon(std::uint64_t id) {
  const Lock lock(mutex_);
  if (Request* const request = open_.begun(id)) open_.abandon(*request);
  update_signal();
}

std::size_t Channel::begun_count() {
  const Lock lock(mutex_);
  return open_.begun_count();
}

std::uint64_t Channel::last_id() {
  const Lock lock(mutex_);
  return open_.last_id();
}

void Channel::close() {
  const Lock lock(mutex_);
  end(Status::CommandCanceled);
}

bool Channel::ended() {
  const Lock lock(mutex_);
  return open_.ended().has_value();
}

// ---- waiting and reading ----

// Waits until the request has left the state, or the deadline passes. Reads when nobody else does.
void Channel::wait(Lock& lock, Request& request, RequestState as_long_as, Deadline deadline) {
  while (request.state == as_long_as) {
    if (!reading_) {
      const Read read = read_once(lock, deadline, true);
      if (read == Read::TimedOut) break;
      if (read == Read::Canceled) post_cancel(lock);
      continue;
    }
    request.waiting = true;
    const bool in_time =
        !deadline ? (request.wake.wait(lock), true)
                  : request.wake.wait_until(lock, *deadline) == std::cv_status::no_timeout;
    request.waiting = false;
    if (!in_time) break;
  }
  hand_over_reading();
}

// Lets another waiting thread read on when nobody does.
void Channel::hand_over_reading() {
  if (reading_) return;
  if (Request* const next = open_.sleeper()) next->wake.notify_one();
}

// Receives once, and hands out what came. Nobody may be reading.
Channel::Read Channel::read_once(Lock& lock, Deadline deadline, bool heed_cancel) {
  reading_ = true;
  lock.unlock();
  const bool canceled = heed_cancel && cancel_comes_first(deadline);
  const auto count = canceled ? 0 : receive(deadline);
  lock.lock();
  reading_ = false;
  if (canceled) return Read::Canceled;
  if (!count && count.error().fault == StreamFault::TimedOut) return Read::TimedOut;
  if (count) {
    connection_.frames.commit(*count);
    dispatch_frames();
  } else {
    end(status_of(count.error()), Status::IoError);
  }
  return Read::Some;
}

// Waits for bytes or for a cancel, where the program has a descriptor to cancel with.
bool Channel::cancel_comes_first(Deadline deadline) {
  const CancelSignal& cancel = signal_->cancel();
  if (cancel.descriptor() < 0) return false;
  return wait_for_either(connection_.stream.descriptor(), cancel.descriptor(), deadline) &&
         cancel.take();
}

std::expected<std::size_t, StreamError> Channel::receive(Deadline deadline) {
  try {
    return connection_.stream.receive(connection_.frames.writable(), deadline);
  } catch (const std::bad_alloc&) {
    return std::unexpected(StreamError{.fault = StreamFault::Failed});
  }
}

void Channel::dispatch_frames() {
  for (;;) {
    const auto frame = connection_.frames.next();
    if (!frame) return end(Status::InternalError);
    if (!*frame) break;
    const Status fault = open_.dispatch(**frame);
    if (fault != Status::Success) return end(fault);
  }
  update_signal();
}

// Ends the connection for good; the first reason holds.
void Channel::end(Status why, Status of_commands) {
  if (!open_.end(why, of_commands)) return;
  connection_.stream.shutdown();
  update_signal();
}

void Channel::update_signal() {
  const bool ready = open_.result_ready();
  if (std::exchange(told_ready_, ready) != ready) ready ? signal_->add() : signal_->remove();
  const bool watched = open_.result_awaited();
  if (std::exchange(watched_, watched) == watched) return;
  const int socket = connection_.stream.descriptor();
  watched ? signal_->watch(socket) : signal_->unwatch(socket);
}

// ---- sending ----

// Sends one frame whole; false when the connection breaks before. Then whoever reads next finds out
// and ends it: what the daemon said before it went is still there to be read.
template <typename Message>
bool Channel::send(std::uint64_t id, const Message& message) {
  const std::lock_guard sending(sending_);
  if (!encode(id, message)) return false;
  proto::Bytes left = outgoing_;
  while (!left.empty()) {
    const auto sent = connection_.stream.send_some(left);
    if (!sent) {
      connection_.stream.shutdown();
      return false;
    }
    left = left.subspan(*sent);
    if (!left.empty() && !wait_to_send()) return false;
  }
  return true;
}

template <typename Message>
bool Channel::encode(std::uint64_t id, const Message& message) {
  try {
    outgoing_.clear();
    proto::append_frame(outgoing_, id, message);
    return true;
  } catch (const std::bad_alloc&) {
    const Lock lock(mutex_);
    end(Status::InternalError);
    return false;
  }
}

// Waits for room in the socket. The daemon may itself be waiting for us to read, so this reads too
// when nobody does. False when the connection has ended.
bool Channel::wait_to_send() {
  wait_for(connection_.stream.descriptor(), POLLIN | POLLOUT, {});
  Lock lock(mutex_);
  if (!reading_ && !open_.ended()) {
    read_once(lock, Clock::now(), false);
    hand_over_reading();
  }
  return !open_.ended();
}

template Outcome<proto::Buffer> Channel::ask(const proto::ReadLog&, Deadline);
template Outcome<proto::Buffer> Channel::ask(const proto::PhysicalPresence&, Deadline);
template Outcome<proto::Buffer> Channel::ask(const proto::OwnerAuth&, Deadline);
template Outcome<proto::Buffer> Channel::ask(const proto::RevokeAttestation&, Deadline);
template Outcome<proto::Buffer> Channel::ask(const proto::InheritObjects&, Deadline);

}  // namespace tbs::client
