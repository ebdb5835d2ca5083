#include "tests/sim/link.h"

#include <algorithm>
#include <utility>

#include "tests/sim/simulation.h"

namespace tbs::sim {

Link::Link(Simulation& simulation, std::uint64_t number, Events events)
    : simulation_(simulation), number_(number), events_(std::move(events)) {}

void Link::connect(std::uint32_t uid, const server::SharedProfile& profile) {
  open_ = true;
  opened_ = simulation_.world.now();
  pipe_->client_wake = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->wake();
  };
  const ucred peer{.pid = 0, .uid = uid, .gid = uid};
  simulation_.connect(std::make_shared<Socket>(pipe_, peer), profile);
}

void Link::send_bytes(proto::Bytes bytes) {
  if (!open_) return;
  simulation_.world.trace("send", number_, bytes);
  unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
  push();
}

void Link::close() {
  if (!std::exchange(open_, false)) return;
  simulation_.world.trace("close", number_, {});
  simulation_.connected += simulation_.world.now() - opened_;
  pipe_->client_closed = true;
  pipe_->client_wake = nullptr;
  if (pipe_->daemon_end != nullptr) pipe_->daemon_end->wake();
}

void Link::read_nothing(bool nothing) {
  reads_ = !nothing;
  if (reads_) wake();
}

// A process that is woken runs a little later.
void Link::wake() {
  if (!open_ || std::exchange(woken_, true)) return;
  World& world = simulation_.world;
  world.after(world.random.between(10, 150) * kMicrosecond, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->woken_ = false;
    self->look();
  });
}

void Link::push() {
  const std::size_t room = Pipe::kRoom - std::min(Pipe::kRoom, pipe_->waiting());
  const std::size_t count = std::min(room, unsent_.size());
  if (count == 0 || pipe_->daemon_closed) return;
  const auto end = unsent_.begin() + static_cast<std::ptrdiff_t>(count);
  pipe_->to_daemon.insert(pipe_->to_daemon.end(), unsent_.begin(), end);
  unsent_.erase(unsent_.begin(), end);
  if (pipe_->daemon_end != nullptr) pipe_->daemon_end->wake();
}

void Link::look() {
  if (!open_) return;
  push();
  if (!reads_) return;
  const auto self = shared_from_this();
  const bool was_full = pipe_->to_client.size() == Pipe::kRoom;
  proto::Buffer bytes = std::exchange(pipe_->to_client, {});
  if (was_full && pipe_->daemon_end != nullptr) pipe_->daemon_end->wake();
  if (!bytes.empty()) simulation_.world.trace("receive", number_, bytes);
  for (proto::Bytes rest = bytes; open_;) {
    const auto frame = extractor_.next();
    if (!frame) {
      simulation_.world.broken("frames", "the daemon has sent bytes that are no message");
      return;
    }
    if (*frame) {
      events_.frame(**frame);
      continue;
    }
    if (rest.empty()) break;
    const auto space = extractor_.writable();
    const std::size_t part = std::min(space.size(), rest.size());
    std::copy_n(rest.begin(), part, space.begin());
    extractor_.commit(part);
    rest = rest.subspan(part);
  }
  if (open_ && pipe_->daemon_closed && pipe_->to_client.empty()) {
    simulation_.world.trace("closed", number_, {});
    close();
    events_.closed();
  }
}

}  // namespace tbs::sim
