#include "client/channel.h"

#include <new>
#include <utility>

#include <poll.h>

namespace tbs::client {

using proto::Status;

std::expected<std::shared_ptr<Channel>, Status> open_channel(const std::string& path,
                                                             std::uint32_t wanted) {
  auto greeted = handshake(path, {.role = proto::Role::Context, .wanted = wanted});
  if (!greeted) return std::unexpected(greeted.error());
  return std::make_shared<Channel>(std::move(*greeted));
}

Channel::Channel(HandshakeResult greeted)
    : connection_(std::move(greeted.connection)),
      terms_(greeted.terms),
      open_(greeted.terms.window) {}

Status Channel::submit(const Command& command, std::span<std::uint8_t> room, std::size_t& size) {
  Request request;
  Lock lock(mutex_);
  if (open_.ended()) return *open_.ended();
  open_.enter_command(request);
  wait(lock, request, RequestState::HeldBack, {});
  if (request.state == RequestState::Done) return request.status;
  lock.unlock();
  send(request.id, proto::Submit{command.locality, command.priority, command.bytes});
  lock.lock();
  request.room = room;
  wait(lock, request, RequestState::Outstanding, {});
  size = request.size;
  if (request.status != Status::Success) return request.status;
  return request.deliver(room) ? Status::Success : Status::InsufficientBuffer;
}

Status Channel::cancel() {
  Request request{.kind = RequestKind::Cancel};
  Lock lock(mutex_);
  if (open_.ended()) return *open_.ended();
  open_.give_up_held_back(Status::CommandCanceled);
  const Status status = ask(lock, request, proto::Cancel{}, Clock::now() + kAnswerPatience);
  // Closed meanwhile by another thread: that has cancelled everything too.
  return status == Status::CommandCanceled ? Status::Success : status;
}

Status Channel::make_sticky(std::uint32_t handle, bool sticky) {
  Request request{.kind = RequestKind::MakeSticky};
  Lock lock(mutex_);
  if (open_.ended()) return *open_.ended();
  return ask(lock, request, proto::MakeSticky{.handle = handle, .sticky = sticky ? 1U : 0U},
             Clock::now() + kAnswerPatience);
}

template <typename Message>
Status Channel::ask(Lock& lock, Request& request, const Message& message, Deadline deadline) {
  open_.enter(request);
  lock.unlock();
  send(request.id, message);
  lock.lock();
  wait(lock, request, RequestState::Outstanding, deadline);
  if (request.state == RequestState::Outstanding) end(Status::ServiceNotRunning);
  return request.status;
}

template <typename Question>
std::expected<proto::Buffer, Status> Channel::ask(const Question& question, Deadline deadline) {
  const std::lock_guard asking(asking_);
  Request request{.kind = RequestKind::Question, .reply = proto::ReplyTo<Question>::kType};
  Lock lock(mutex_);
  if (open_.ended()) return std::unexpected(*open_.ended());
  if (is_over(deadline)) return std::unexpected(Status::ServiceNotRunning);
  const Status status = ask(lock, request, question, deadline);
  if (status != Status::Success) return std::unexpected(status);
  return std::move(request.kept);
}

std::expected<std::uint64_t, Status> Channel::begin(const Command& command) {
  Lock lock(mutex_);
  if (open_.ended()) return std::unexpected(*open_.ended());
  const auto begun = open_.begin_command();
  if (!begun) return std::unexpected(begun.error());
  Request& request = **begun;
  const std::uint64_t id = request.id;
  lock.unlock();
  if (send(id, proto::Submit{command.locality, command.priority, command.bytes})) return id;
  // The daemon never had the whole of it. What it said before it went tells why.
  lock.lock();
  wait(lock, request, RequestState::Outstanding, {});
  const Status why = request.status;
  open_.forget(request);
  return std::unexpected(why);
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

int Channel::poll_descriptor() {
  const Lock lock(mutex_);
  return signal_.descriptor(connection_.stream.descriptor());
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
      if (!read_once(lock, deadline)) break;
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

// Receives once, and hands out what came; false when nothing came before the deadline. Nobody may
// be reading.
bool Channel::read_once(Lock& lock, Deadline deadline) {
  reading_ = true;
  lock.unlock();
  const auto count = receive(deadline);
  lock.lock();
  reading_ = false;
  if (!count && count.error().fault == StreamFault::TimedOut) return false;
  if (count) {
    connection_.frames.commit(*count);
    dispatch_frames();
  } else {
    end(status_of(count.error()));
  }
  return true;
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
void Channel::end(Status why) {
  if (!open_.end(why)) return;
  connection_.stream.shutdown();
  update_signal();
}

void Channel::update_signal() {
  signal_.set(open_.ended() || open_.result_ready());
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
    read_once(lock, Clock::now());
    hand_over_reading();
  }
  return !open_.ended();
}

template std::expected<proto::Buffer, Status> Channel::ask(const proto::ReadLog&, Deadline);
template std::expected<proto::Buffer, Status> Channel::ask(const proto::PhysicalPresence&,
                                                           Deadline);
template std::expected<proto::Buffer, Status> Channel::ask(const proto::OwnerAuth&, Deadline);
template std::expected<proto::Buffer, Status> Channel::ask(const proto::RevokeAttestation&,
                                                           Deadline);

}  // namespace tbs::client
