#pragma once

// Work that may block (the close of a busy TPM's node, the files of the firmware, the group
// database), done by a helper thread while the event loop goes on. All such work of the daemon goes
// through this class.
//
//   Order     Parallel: each work begins at once, in a thread of its own.
//             InOrder: one after the other, in the order in which they were given; the next begins
//             when `then` of the one before has returned.
//             NewestOnly: as InOrder, but of what has not begun only the newest stays. The others
//             are dropped with their `then`.
//   Result    `then` gets what `work` returned. It is called from the loop, never from within
//             run(), and not after this object is gone. Until then the loop has work to do.
//   Cancel    drop_waiting() drops what has not begun. What has begun cannot be stopped.
//   The end   LeaveBehind: the destructor does not wait. What has not begun is dropped; a thread
//             that is still blocked goes on alone.
//             Finish: the destructor waits for what has begun and then does what has not.
//             No `then` is called either way.
//
// Where the system gives no thread, `work` is done at once by the loop's own.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace tbs::loop {

class BlockingCalls {
 public:
  enum class Order : std::uint8_t { Parallel, InOrder, NewestOnly };
  enum class AtEnd : std::uint8_t { LeaveBehind, Finish };

  BlockingCalls(boost::asio::io_context& loop, Order order, AtEnd at_end);
  ~BlockingCalls();
  BlockingCalls(const BlockingCalls&) = delete;
  BlockingCalls& operator=(const BlockingCalls&) = delete;

  // `loop` must outlive this object. `work` runs in the thread: it touches nothing that the loop's
  // thread uses, and does not throw. `then` takes what it returns, or nothing when that is nothing.
  template <typename Work, typename Then>
  void run(Work work, Then then);
  template <typename Work>
  void run(Work work) {
    add({.work = std::move(work), .then = nullptr});
  }

  void drop_waiting();
  // Whether something has not begun.
  [[nodiscard]] bool waiting() const { return !waiting_.empty(); }

 private:
  using Call = std::move_only_function<void()>;
  struct Job {
    Call work;
    Call then;
  };
  struct Shared;

  void add(Job job);
  void begin(Job job);
  void on_done(std::uint64_t id);
  void update_guard();

  boost::asio::io_context& loop_;
  const Order order_;
  const AtEnd at_end_;
  std::shared_ptr<Shared> shared_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guard_;
  std::deque<Job> waiting_;
  std::map<std::uint64_t, Call> begun_;  // what is called then
  std::uint64_t last_id_ = 0;
};

template <typename Work, typename Then>
void BlockingCalls::run(Work work, Then then) {
  using Value = std::invoke_result_t<Work&>;
  if constexpr (std::is_void_v<Value>) {
    add({.work = std::move(work), .then = std::move(then)});
  } else {
    // Written by the thread before it reports, read by the loop after it.
    const auto value = std::make_shared<std::optional<Value>>();
    add({.work = [value, work = std::move(work)]() mutable { *value = work(); },
         .then = [value, then = std::move(then)]() mutable { then(*std::move(*value)); }});
  }
}

}  // namespace tbs::loop
