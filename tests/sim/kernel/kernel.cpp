#include "tests/sim/kernel/kernel.h"

#include <algorithm>
#include <utility>

#include <poll.h>

namespace tbs::sim {
namespace {

constexpr Time kWaitCost = 1 * kMicrosecond;

}  // namespace

// Edge-triggered, as Asio uses it.
class Epoll final : public File {
 public:
  struct Watch {
    SharedFile file;
    epoll_event event{};
    std::uint64_t seen = 0;
  };

  std::map<int, Watch> watches;
};

Kernel*& current_kernel() {
  static Kernel* kernel = nullptr;
  return kernel;
}

int Kernel::open(SharedFile file) {
  files_.emplace(next_, std::move(file));
  return next_++;
}

SharedFile Kernel::file(int descriptor) const {
  const auto found = files_.find(descriptor);
  return found == files_.end() ? nullptr : found->second;
}

void Kernel::close(int descriptor) {
  files_.erase(descriptor);
}

int Kernel::epoll_create() {
  return open(std::make_shared<Epoll>());
}

int Kernel::epoll_ctl(int epoll, int operation, int descriptor, const epoll_event* event) {
  const SharedFile held = file(epoll);
  auto* const set = dynamic_cast<Epoll*>(held.get());
  const SharedFile target = file(descriptor);
  if (set == nullptr || target == nullptr) return EBADF;
  if (operation == EPOLL_CTL_DEL) return set->watches.erase(descriptor) > 0 ? 0 : ENOENT;
  const bool there = set->watches.contains(descriptor);
  if (there != (operation == EPOLL_CTL_MOD)) return there ? EEXIST : ENOENT;
  target->watched();
  // What is ready already counts as an edge.
  const bool ready = (target->ready() & (event->events | EPOLLERR | EPOLLHUP)) != 0;
  const std::uint64_t seen = ready ? target->edges() - 1 : target->edges();
  set->watches[descriptor] = {.file = target, .event = *event, .seen = seen};
  return 0;
}

int Kernel::epoll_wait(int epoll, std::span<epoll_event> events, int timeout_ms) {
  const SharedFile held = file(epoll);
  auto* const set = dynamic_cast<Epoll*>(held.get());
  if (set == nullptr) return -EBADF;
  if (looked_ != 0) longest_turn_ = std::max(longest_turn_, world_.now() - looked_);
  world_.spend(kWaitCost);
  const Time end =
      timeout_ms < 0 ? ~Time{0} : world_.now() + static_cast<Time>(timeout_ms) * kMillisecond;
  while (true) {
    world_.run_due();
    // A file is watched until the last who has it has closed it, under whatever descriptor.
    std::erase_if(set->watches, [](const auto& each) { return each.second.file.use_count() == 1; });
    // Whatever has happened meanwhile may have ended the process.
    if (dead_) return 0;
    std::size_t count = 0;
    for (auto& [descriptor, watch] : set->watches) {
      if (watch.seen == watch.file->edges()) continue;
      watch.seen = watch.file->edges();
      const std::uint32_t ready = watch.file->ready() & (watch.event.events | EPOLLERR | EPOLLHUP);
      if (ready == 0) continue;
      events[count].events = ready;
      events[count].data = watch.event.data;
      if (++count == events.size()) break;
    }
    looked_ = world_.now();
    const bool interrupted = std::exchange(interrupted_, false);
    if (count > 0 || interrupted || world_.now() >= end) return static_cast<int>(count);
    if (!world_.has_events() && timeout_ms < 0) {
      stuck();
      return 0;
    }
    world_.sleep_until(world_.has_events() ? std::min(end, world_.next_event()) : end);
  }
}

int Kernel::poll(int descriptor, short events, short* found, int timeout_ms) {
  const Time end = world_.now() + static_cast<Time>(std::max(timeout_ms, 0)) * kMillisecond;
  while (true) {
    const SharedFile target = file(descriptor);
    if (target == nullptr) {
      *found = POLLNVAL;
      return 1;
    }
    const auto ready = static_cast<short>(target->ready());
    *found = static_cast<short>(ready & (events | POLLERR | POLLHUP));
    if (*found != 0) return 1;
    if (dead_ || world_.now() >= end) return 0;
    block_until(world_.has_events() ? std::min(end, world_.next_event()) : end);
  }
}

void Kernel::block_until(Time when) {
  while (world_.has_events() && world_.next_event() <= when) {
    world_.sleep_until(world_.next_event());
    world_.run_due();
  }
  world_.sleep_until(when);
  // In a real process it is a helper thread that waits.
  if (!dead_) looked_ = world_.now();
}

void Kernel::kill_at(std::uint64_t calls, std::function<void()> killed) {
  calls_left_ = calls;
  killed_ = std::move(killed);
}

void Kernel::enter(Time cost) {
  world_.spend(cost);
  if (dead_ || calls_left_ == 0 || --calls_left_ > 0) return;
  // Before the call has done anything, or right after it.
  dies_after_ = world_.random.one_in(2);
  if (!dies_after_) kill();
}

void Kernel::leave() {
  if (std::exchange(dies_after_, false)) kill();
}

void Kernel::kill() {
  if (dead_) return;
  calls_left_ = 0;
  dies_after_ = false;
  // What outlives the process is as it is now.
  if (const auto killed = std::exchange(killed_, nullptr)) killed();
  dead_ = true;
  looked_ = 0;
  std::exchange(files_, {}).clear();
}

}  // namespace tbs::sim
