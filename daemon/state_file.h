#pragma once

// A small text that outlives the daemon. It is read at the start and written by a helper thread,
// the newest text only: a disk may be slow, and the loop must not wait for it.

#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "daemon/loop/blocking_calls.h"

namespace tbs {

class StateFile {
 public:
  // Without a path nothing is kept. The end of this object waits until what was given to write() is
  // written.
  StateFile(boost::asio::io_context& loop, std::string path);

  // Empty when there is none.
  [[nodiscard]] std::string read() const;
  void write(std::string text);
  // Calls back, at once or from the loop, when nothing is left to be written. One may wait.
  void when_written(std::function<void()> done);
  // Says in the log why write() would fail, before there is anything to lose. It blocks: for the
  // start.
  void try_writing() const;

 private:
  void wrote();

  std::string path_;
  bool writing_ = false;
  std::function<void()> when_written_;
  loop::BlockingCalls writes_;
};

}  // namespace tbs
