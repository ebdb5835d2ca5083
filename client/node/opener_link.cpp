#include "client/node/opener_link.h"

#include <cerrno>
#include <utility>

#include "client/include/tbs/tbs.h"
#include "client/node/node_errors.h"
#include "proto/message.h"

namespace tbs::node {

using proto::Status;

bool OpenerLink::open(const std::string& socket, const proto::Opener& opener, OpenHandler opened) {
  using Greeted = std::expected<client::HandshakeResult, Status>;
  const auto greeted = std::make_shared<std::optional<Greeted>>();
  return loop_.run_beside(
      [self = shared_from_this(), socket, opener, greeted] {
        greeted->emplace(client::handshake(
            socket, {.role = proto::Role::Context, .wanted = proto::kWantTpm12 | proto::kWantTpm20},
            {}, &self->interruption_, proto::opener_bytes(opener)));
      },
      [self = shared_from_this(), greeted, opened = std::move(opened)] {
        self->opened(std::move(**greeted), opened);
      });
}

void OpenerLink::opened(std::expected<client::HandshakeResult, Status> greeted,
                        const OpenHandler& tell) {
  if (closed_) return;
  if (!greeted) return tell(greeted.error());
  room_.resize(greeted->terms.max_response);
  channel_ = std::make_shared<client::Channel>(*std::move(greeted), 0, signal_);
  const int descriptor = signal_->descriptor();
  const bool watched = descriptor >= 0 && loop_.watch(key_, descriptor, [this] { take(); });
  if (!watched) channel_->close();
  tell(watched ? Status::Success : Status::TooManyResources);
}

void OpenerLink::submit(proto::Buffer command, ResultHandler finished) {
  finished_ = std::move(finished);
  if (cancelling_) {
    held_back_ = std::move(command);
  } else {
    begin(command);
  }
}

void OpenerLink::begin(const proto::Buffer& command) {
  const auto begun =
      channel_->begin({.locality = 0, .priority = TBS_COMMAND_PRIORITY_NORMAL, .bytes = command});
  if (begun) {
    request_ = *begun;
  } else {
    // Without a status the connection has ended before: there is nobody behind the node any more.
    finish(std::unexpected(begun.error() ? command_error(*begun.error()) : EPIPE));
  }
}

void OpenerLink::take() {
  const auto self = shared_from_this();
  drop_cancelled();
  if (!request_) return;
  std::size_t size = 0;
  const auto status = channel_->take(*request_, room_, size, client::Clock::now());
  if (!status) return;
  request_.reset();
  if (*status == Status::Success) {
    finish(proto::Buffer(room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(size)));
  } else {
    finish(std::unexpected(command_error(*status)));
  }
}

void OpenerLink::drop_cancelled() {
  std::erase_if(cancelled_, [this](std::uint64_t request) {
    std::size_t size = 0;
    return channel_->take(request, room_, size, client::Clock::now()).has_value();
  });
}

void OpenerLink::finish(std::expected<proto::Buffer, int> outcome) {
  const ResultHandler handler = std::exchange(finished_, nullptr);
  if (handler) handler(std::move(outcome));
}

void OpenerLink::cancel() {
  finished_ = nullptr;
  held_back_.reset();
  if (!request_) return;
  cancelled_.push_back(*std::exchange(request_, std::nullopt));
  if (cancelling_) return;
  cancelling_ = true;
  const bool on_its_way =
      loop_.run_beside([channel = channel_] { (void)channel->cancel(); },
                       [self = shared_from_this()] { self->cancel_came_back(); });
  // It ends with the connection as well, and the file with it.
  if (on_its_way) return;
  cancelling_ = false;
  channel_->close();
}

void OpenerLink::cancel_came_back() {
  cancelling_ = false;
  if (closed_) return;
  drop_cancelled();
  if (const auto command = std::exchange(held_back_, std::nullopt)) begin(*command);
}

void OpenerLink::close() {
  if (std::exchange(closed_, true)) return;
  interruption_.interrupt();
  finished_ = nullptr;
  if (!channel_) return;
  loop_.forget(key_, signal_->descriptor());
  channel_->close();
}

}  // namespace tbs::node
