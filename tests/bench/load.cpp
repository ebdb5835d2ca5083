#include "tests/bench/load.h"

#include <atomic>
#include <exception>
#include <latch>
#include <mutex>
#include <thread>

namespace tbs::bench {
namespace {

class Load {
 public:
  Load(std::size_t threads, std::chrono::duration<double> duration)
      : ready_(static_cast<std::ptrdiff_t>(threads) + 1),
        go_(1),
        duration_(std::chrono::duration_cast<Clock::duration>(duration)) {}

  void loop(const Task& task) {
    std::vector<double> samples;
    samples.reserve(1U << 16U);
    ready_.arrive_and_wait();
    go_.wait();
    try {
      for (;;) {
        const auto start = Clock::now();
        task();
        const auto end = Clock::now();
        ++commands_;
        if (end >= until_) break;
        if (end >= from_) samples.push_back(Micros(end - start).count());
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    all_.insert(all_.end(), samples.begin(), samples.end());
  }

  void start() {
    ready_.arrive_and_wait();
    from_ = Clock::now() + duration_ / 10;
    until_ = from_ + duration_;
    go_.count_down();
  }

  Rate result() {
    if (failure_) std::rethrow_exception(failure_);
    const double seconds = std::chrono::duration<double>(duration_).count();
    return {.per_second = static_cast<double>(all_.size()) / seconds,
            .p50 = percentile(all_, 0.5),
            .p99 = percentile(all_, 0.99),
            .commands = static_cast<double>(commands_)};
  }

 private:
  std::latch ready_;
  std::latch go_;
  Clock::duration duration_;
  Clock::time_point from_;
  Clock::time_point until_;
  std::atomic<std::size_t> commands_ = 0;
  std::mutex mutex_;  // the following
  std::vector<double> all_;
  std::exception_ptr failure_;
};

}  // namespace

Rate run_load(const std::vector<Task>& tasks, std::chrono::duration<double> duration) {
  Load load(tasks.size(), duration);
  {
    std::vector<std::jthread> threads;
    for (const Task& task : tasks) threads.emplace_back([&load, &task] { load.loop(task); });
    load.start();
  }
  return load.result();
}

}  // namespace tbs::bench
