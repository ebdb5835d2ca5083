#include "client/tbsctl/bridge/helper_thread.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace tbs::ctl::bridge {

struct HelperThread::Queue {
  std::shared_ptr<Reactor> reactor;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;  // under mutex
  bool ended = false;    // under mutex
};

HelperThread::HelperThread(std::shared_ptr<Reactor> reactor) : queue_(std::make_shared<Queue>()) {
  queue_->reactor = std::move(reactor);
  std::thread([queue = queue_] { work(queue); }).detach();
}

HelperThread::~HelperThread() {
  const std::lock_guard lock(queue_->mutex);
  queue_->ended = true;
  queue_->changed.notify_all();
}

void HelperThread::run(Job job) {
  const std::lock_guard lock(queue_->mutex);
  queue_->jobs.push_back(std::move(job));
  queue_->changed.notify_all();
}

void HelperThread::work(const std::shared_ptr<Queue>& queue) {
  std::unique_lock lock(queue->mutex);
  while (true) {
    queue->changed.wait(lock, [&] { return queue->ended || !queue->jobs.empty(); });
    if (queue->ended) return;
    Job job = std::move(queue->jobs.front());
    queue->jobs.pop_front();
    lock.unlock();
    queue->reactor->post(job());
    lock.lock();
  }
}

}  // namespace tbs::ctl::bridge
