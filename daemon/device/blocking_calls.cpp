#include "daemon/device/blocking_calls.h"

#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <pthread.h>
#include <signal.h>

#include <boost/asio/post.hpp>

namespace tbs::device {
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
  BlockingCalls* owner = nullptr;

  static void report(const std::shared_ptr<Shared>& shared, std::uint64_t id) {
    const std::lock_guard lock(shared->mutex);
    if (shared->owner == nullptr) return;
    boost::asio::post(shared->owner->loop_, [shared, id] {
      // Back in the loop's thread, where the owner lives and dies.
      if (shared->owner != nullptr) shared->owner->on_done(id);
    });
  }
};

BlockingCalls::BlockingCalls(boost::asio::io_context& loop)
    : loop_(loop), shared_(std::make_shared<Shared>()) {
  shared_->owner = this;
}

BlockingCalls::~BlockingCalls() {
  const std::lock_guard lock(shared_->mutex);
  shared_->owner = nullptr;
}

void BlockingCalls::run(Work work, Then then) {
  if (waiting_.empty()) guard_.emplace(loop_.get_executor());
  const std::uint64_t id = ++last_id_;
  waiting_.emplace(id, std::move(then));
  // Shared, so that it is still here when no thread could be made.
  const auto job = std::make_shared<Work>(std::move(work));
  const auto body = [job, id, shared = shared_] {
    (*job)();
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
  auto done = waiting_.extract(id);
  if (waiting_.empty()) guard_.reset();
  if (!done.empty() && done.mapped()) done.mapped()();
}

}  // namespace tbs::device
