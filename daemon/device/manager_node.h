#pragma once

// The node of the kernel's own resource manager, /dev/tpmrmN, and who uses it: heard of by inotify,
// which needs the right to read the node and does not open it. Said at most once a second.

#include <array>
#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tbs::device {

// Beside the TPM's own node; empty where `path` is none.
std::string manager_node(const std::string& path);

class ManagerNodeWatch {
 public:
  explicit ManagerNodeWatch(boost::asio::io_context& io);

  // `used` is called from the loop when somebody has opened the node, used it or closed it, `gone`
  // when it cannot be watched any more. Returns an errno value, 0 when it is watched now; an
  // earlier node is not any more.
  int start(const std::string& node, std::function<void()> used, std::function<void(int)> gone);
  void stop();
  [[nodiscard]] bool watching() const { return events_.is_open(); }

 private:
  int add();
  void listen();
  void heard();
  void watch_again();

  boost::asio::posix::stream_descriptor events_;
  boost::asio::steady_timer pause_;
  std::string node_;
  std::function<void()> used_;
  std::function<void(int)> gone_;
  unsigned round_ = 0;  // of the starts; what is left of earlier ones is ignored
  std::array<char, 4096> buffer_{};
};

}  // namespace tbs::device
