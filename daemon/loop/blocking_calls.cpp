#include "daemon/loop/blocking_calls.h"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include <pthread.h>
#include <signal.h>

#include <boost/asio/post.hpp>

namespace tbs::loop {
namespace {

// The daemon's signals are for its main thread.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t saved_{};
};

}  // namespace

// Lives as long as the owner or the longest thread. The pointer is null once the owner is gone:
// then the loop may be, too.
struct BlockingCalls::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  BlockingCalls* owner = nullptr;
  std::size_t running = 0;

  static void report(const std::shared_ptr<Shared>& shared, std::uint64_t id) {
    const std::lock_guard lock(shared->mutex);
    --shared->running;
    shared->changed.notify_all();
    if (shared->owner == nullptr) return;
    boost::asio::post(shared->owner->loop_, [shared, id] {
      // Back in the loop's thread, where the owner lives and dies.
      if (shared->owner != nullptr) shared->owner->on_done(id);
    });
  }
};

BlockingCalls::BlockingCalls(boost::asio::io_context& loop, Order order, AtEnd at_end)
    : loop_(loop), order_(order), at_end_(at_end), shared_(std::make_shared<Shared>()) {
  shared_->owner = this;
}

BlockingCalls::~BlockingCalls() {
  {
    std::unique_lock lock(shared_->mutex);
    shared_->owner = nullptr;
    if (at_end_ == AtEnd::LeaveBehind) return;
    shared_->changed.wait(lock, [this] { return shared_->running == 0; });
  }
  for (Job& job : waiting_) job.work();
}

void BlockingCalls::drop_waiting() {
  waiting_.clear();
  update_guard();
}

void BlockingCalls::add(Job job) {
  if (order_ == Order::Parallel || begun_.empty()) {
    begin(std::move(job));
  } else {
    if (order_ == Order::NewestOnly) waiting_.clear();
    waiting_.push_back(std::move(job));
  }
}

void BlockingCalls::begin(Job job) {
  const std::uint64_t id = ++last_id_;
  begun_.emplace(id, std::move(job.then));
  update_guard();
  {
    const std::lock_guard lock(shared_->mutex);
    ++shared_->running;
  }
  // Shared, so that it is still here when no thread could be made.
  const auto work = std::make_shared<Call>(std::move(job.work));
  const auto body = [work, id, shared = shared_] {
    (*work)();
    Shared::report(shared, id);
  };
  try {
    const BlockedSignals blocked;
    std::thread(body).detach();
  } catch (const std::system_error&) {
    body();
  }
}

void BlockingCalls::on_done(std::uint64_t id) {
  // Its place is kept until `then` has returned: what that asks for waits its turn.
  const auto shared = shared_;
  Call then = std::move(begun_.at(id));
  if (then) then();
  if (shared->owner == nullptr) return;  // `then` was the end of this object
  begun_.erase(id);
  if (begun_.empty() && !waiting_.empty()) {
    Job next = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(next));
  }
  update_guard();
}

void BlockingCalls::update_guard() {
  if (begun_.empty()) {
    guard_.reset();
  } else if (!guard_) {
    guard_.emplace(loop_.get_executor());
  }
}

}  // namespace tbs::loop
