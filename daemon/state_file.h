#pragma once

// A small text that outlives the daemon. It is read at the start and written by a helper thread,
// the newest text only: a disk may be slow, and the loop must not wait for it.

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

 private:
  std::string path_;
  loop::BlockingCalls writes_;
};

}  // namespace tbs
