#include "client/context.h"

#include <algorithm>
#include <utility>

#include "client/socket_path.h"

namespace tbs::client {

using proto::Status;

namespace {

// How long a cancelled command may take to say how it ended; the daemon answers within 10 ms.
constexpr std::chrono::seconds kCancelPatience{1};

Status status_of(const std::expected<void, Status>& outcome) {
  return outcome ? Status::Success : outcome.error();
}

}  // namespace

std::expected<std::shared_ptr<Context>, Status> Context::open(std::string path,
                                                              std::uint32_t wanted, Forks forks) {
  std::shared_ptr<Context> context(new Context(std::move(path), wanted, forks));
  auto greeted = context->greet(0, {}, nullptr);
  if (!greeted) return std::unexpected(greeted.error());
  context->install(*std::move(greeted));
  return context;
}

std::expected<HandshakeResult, Status> Context::greet(std::uint32_t earlier, Deadline deadline,
                                                      Interruption* interruption) const {
  return handshake(path_.empty() ? socket_with_most_rights() : path_,
                   {.role = proto::Role::Context, .wanted = wanted_, .earlier = earlier}, deadline,
                   interruption);
}

void Context::install(HandshakeResult greeted) {
  if (channel_) first_id_ = channel_->last_id();
  inheritance_ = greeted.inheritance;
  if (forks_ == Forks::Copies && inheritance_) {
    greeted.connection.stream.keep_in_children(inheritance_->label());
  }
  channel_ = std::make_shared<Channel>(std::move(greeted), first_id_, signal_);
}

std::optional<Inheritance> Context::inheritance() {
  const Lock lock(mutex_);
  return inheritance_;
}

Status Context::inherit(const Inheritance& from) {
  const auto reply = ask(proto::InheritObjects{.context = from.context, .token = from.token},
                         Clock::now() + kAnswerPatience);
  if (!reply) return reply.error();
  const auto answer = proto::decode<proto::InheritObjectsReply>(*reply);
  return answer ? answer->status : Status::InternalError;
}

proto::HelloReply Context::terms() {
  const Lock lock(mutex_);
  return channel_->terms();
}

std::uint32_t Context::reconnections() {
  const Lock lock(mutex_);
  return reconnections_;
}

Context::Call Context::begin_call(Deadline deadline) {
  const Lock lock(mutex_);
  return {.channel = channel_, .cancels = cancels_, .deadline = deadline};
}

Status Context::submit(const Command& command, std::span<std::uint8_t> room, std::size_t& size) {
  return status_of(
      on_channel<void>([&](Channel& channel) { return channel.submit(command, room, size); }));
}

Status Context::make_sticky(std::uint32_t handle, bool sticky) {
  return status_of(
      on_channel<void>([&](Channel& channel) { return channel.make_sticky(handle, sticky); }));
}

std::expected<std::uint64_t, Status> Context::begin(const Command& command, Deadline deadline) {
  const auto attempt = [&](Channel& channel) -> Outcome<std::uint64_t> {
    const std::size_t untaken = untaken_of_earlier();
    if (untaken > 0 && untaken + channel.begun_count() >= channel.terms().window) {
      return std::unexpected(Status::TooManyResources);
    }
    return channel.begin(command);
  };
  return on_channel<std::uint64_t>(attempt, deadline);
}

std::size_t Context::untaken_of_earlier() {
  const Lock lock(mutex_);
  std::size_t count = 0;
  for (const Earlier& each : earlier_) count += each.channel->begun_count();
  return count;
}

std::optional<Status> Context::take(std::uint64_t id, std::span<std::uint8_t> room,
                                    std::size_t& size, Deadline deadline) {
  return holder_of(id)->take(id, room, size, deadline);
}

std::optional<Status> Context::submit_within(const Command& command, std::span<std::uint8_t> room,
                                             std::size_t& size, Deadline deadline) {
  const auto id = begin(command, deadline);
  if (!id) return id.error();
  auto result = take(*id, room, size, deadline);
  const bool late = !result;
  if (late) {
    holder_of(*id)->post_cancel();
    result = take(*id, room, size, Clock::now() + kCancelPatience);
  }
  if (!result || *result == Status::InsufficientBuffer) abandon(*id);
  if (late && result == Status::CommandCanceled) return std::nullopt;
  return result;
}

void Context::abandon(std::uint64_t id) {
  holder_of(id)->abandon(id);
}

int Context::cancel_descriptor() {
  const int descriptor = signal_->cancel().make();
  signal_->watch_cancel();
  return descriptor;
}

// The connection that the command was begun on.
Context::SharedChannel Context::holder_of(std::uint64_t id) {
  const Lock lock(mutex_);
  if (id > first_id_) return channel_;
  forget_taken();
  const auto holder =
      std::ranges::find_if(earlier_, [id](const Earlier& each) { return id <= each.last_id; });
  return holder == earlier_.end() ? channel_ : holder->channel;
}

void Context::forget_taken() {
  std::erase_if(earlier_, [](const Earlier& each) { return each.channel->begun_count() == 0; });
}

// ---- connecting anew ----

// A connection that can be used, in place of the call's, which has ended.
std::expected<Context::SharedChannel, Status> Context::replace(const Call& call) {
  Lock lock(mutex_);
  while (!given_up(call) && channel_ == call.channel) {
    if (connecting_ == nullptr) return connect(lock, call);
    const std::uint64_t failures = failures_;
    if (!call.deadline) {
      changed_.wait(lock);
    } else if (changed_.wait_until(lock, *call.deadline) == std::cv_status::timeout) {
      return std::unexpected(Status::ServiceStartPending);
    }
    // What the thread that connects comes to is everybody's.
    if (failures_ != failures && !given_up(call)) return std::unexpected(last_failure_);
  }
  if (given_up(call)) return std::unexpected(Status::CommandCanceled);
  return channel_;
}

std::expected<Context::SharedChannel, Status> Context::connect(Lock& lock, const Call& call) {
  Interruption interruption;
  connecting_ = &interruption;
  const std::uint32_t earlier = reconnections_ + 1;
  lock.unlock();
  auto greeted = greet(earlier, call.deadline, &interruption);
  lock.lock();
  connecting_ = nullptr;
  changed_.notify_all();
  if (given_up(call)) return std::unexpected(Status::CommandCanceled);
  if (!greeted) {
    ++failures_;
    last_failure_ = greeted.error();
    return std::unexpected(last_failure_);
  }
  forget_taken();
  if (channel_->begun_count() > 0) {
    earlier_.push_back({.channel = channel_, .last_id = channel_->last_id()});
  }
  reconnections_ = earlier;
  install(*std::move(greeted));
  return channel_;
}

void Context::interrupt_connecting() {
  if (connecting_ != nullptr) connecting_->interrupt();
  changed_.notify_all();
}

Status Context::cancel() {
  SharedChannel channel;
  {
    const Lock lock(mutex_);
    ++cancels_;
    interrupt_connecting();
    channel = channel_;
  }
  const auto outcome = channel->cancel();
  if (outcome || !outcome.error()) return Status::Success;
  return *outcome.error();
}

std::optional<Status> Context::cancel_begun(std::uint64_t id) {
  return holder_of(id)->cancel_begun(id);
}

void Context::close() {
  const Lock lock(mutex_);
  closed_ = true;
  interrupt_connecting();
  channel_->close();
}

}  // namespace tbs::client
