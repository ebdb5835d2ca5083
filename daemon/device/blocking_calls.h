#pragma once

// System calls that may block for as long as a TPM command takes (the close of a TPM's node, the
// write to its cancel attribute): each runs in a thread of its own, and the event loop hears when
// it has returned. A thread that is still blocked when its owner goes away is left behind.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace tbs::device {

class BlockingCalls {
 public:
  using Work = std::move_only_function<void()>;  // in the thread
  using Then = std::move_only_function<void()>;  // in the loop; may be empty

  explicit BlockingCalls(boost::asio::io_context& loop);
  ~BlockingCalls();
  BlockingCalls(const BlockingCalls&) = delete;
  BlockingCalls& operator=(const BlockingCalls&) = delete;

  // `work` must touch nothing that the loop's thread uses; a result is handed on in an object that
  // both functions share. `then` never leaves the loop's thread, is dropped with this object, and
  // keeps the loop from running out of work until it was called. Where the system gives no thread,
  // `work` runs at once.
  void run(Work work, Then then);

 private:
  struct Shared;

  void on_done(std::uint64_t id);

  boost::asio::io_context& loop_;
  std::shared_ptr<Shared> shared_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guard_;
  std::map<std::uint64_t, Then> waiting_;
  std::uint64_t last_id_ = 0;
};

}  // namespace tbs::device
