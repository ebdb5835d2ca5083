#include "client/node/node_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tbs::node {
namespace {

constexpr NodeLoop::Key kWakeKey = ~NodeLoop::Key{0};
constexpr int kEventsAtOnce = 32;

}  // namespace

NodeLoop::NodeLoop()
    : epoll_(client::Descriptor::open([] { return ::epoll_create1(EPOLL_CLOEXEC); })),
      wake_(client::Descriptor::open([] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); })) {
  watch(kWakeKey, wake_.get(), [this] { take_ended(); });
}

NodeLoop::~NodeLoop() {
  for (Beside& each : beside_) each.thread.join();
}

bool NodeLoop::watch(Key key, int descriptor, Handler readable) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = key}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) return false;
  handlers_[key] = std::move(readable);
  return true;
}

void NodeLoop::forget(Key key, int descriptor) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
  handlers_.erase(key);
}

void NodeLoop::set_deadline(Key key, Clock::time_point when, Handler passed) {
  deadlines_[key] = {.when = when, .passed = std::move(passed)};
}

void NodeLoop::clear_deadline(Key key) {
  deadlines_.erase(key);
}

bool NodeLoop::run_beside(std::function<void()> work, Handler done) {
  Beside& beside = beside_.emplace_back();
  beside.done = std::move(done);
  try {
    beside.thread = std::thread([this, &beside, work = std::move(work)] {
      work();
      {
        const std::lock_guard lock(ended_mutex_);
        beside.ended = true;
      }
      const std::uint64_t one = 1;
      (void)!::write(wake_.get(), &one, sizeof one);
    });
  } catch (const std::system_error&) {
    beside_.pop_back();
    return false;
  }
  return true;
}

void NodeLoop::take_ended() {
  std::uint64_t count = 0;
  (void)!::read(wake_.get(), &count, sizeof count);
  std::list<Beside> ended;
  {
    const std::lock_guard lock(ended_mutex_);
    for (auto each = beside_.begin(); each != beside_.end();) {
      const auto next = std::next(each);
      if (each->ended) ended.splice(ended.end(), beside_, each);
      each = next;
    }
  }
  for (Beside& each : ended) {
    each.thread.join();
    each.done();
  }
}

int NodeLoop::patience() const {
  if (deadlines_.empty()) return -1;
  const auto next =
      std::ranges::min_element(deadlines_, {}, [](const auto& each) { return each.second.when; });
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next->second.when - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

void NodeLoop::pass_deadlines() {
  const auto now = Clock::now();
  std::vector<Handler> passed;
  for (auto each = deadlines_.begin(); each != deadlines_.end();) {
    if (each->second.when > now) {
      ++each;
      continue;
    }
    passed.push_back(std::move(each->second.passed));
    each = deadlines_.erase(each);
  }
  for (const Handler& handler : passed) handler();
}

void NodeLoop::run() {
  std::array<epoll_event, kEventsAtOnce> events{};
  while (!stopped_) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsAtOnce, patience());
    for (int i = 0; i < count; ++i) {
      // One handler may end what another event is for.
      const auto found = handlers_.find(events[static_cast<std::size_t>(i)].data.u64);
      if (found == handlers_.end()) continue;
      const Handler handler = found->second;
      handler();
    }
    if (!deadlines_.empty()) pass_deadlines();
  }
}

}  // namespace tbs::node
