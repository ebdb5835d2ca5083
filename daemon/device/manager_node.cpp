#include "daemon/device/manager_node.h"

#include <cerrno>
#include <chrono>

#include <sys/inotify.h>

namespace tbs::device {
namespace {

// A program that uses the TPM all the time would wake the loop for each of its commands.
constexpr std::chrono::seconds kWatchPause{1};

}  // namespace

std::string manager_node(const std::string& path) {
  const std::size_t name = path.rfind('/') + 1;
  constexpr std::string_view kPrefix = "tpm";
  if (path.compare(name, kPrefix.size(), kPrefix) != 0) return {};
  std::string node = path;
  return node.insert(name + kPrefix.size(), "rm");
}

ManagerNodeWatch::ManagerNodeWatch(boost::asio::io_context& io) : events_(io), pause_(io) {}

int ManagerNodeWatch::start(const std::string& node, std::function<void()> used,
                            std::function<void(int)> gone) {
  stop();
  const int queue = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (queue < 0) return errno;
  events_.assign(queue);
  node_ = node;
  used_ = std::move(used);
  gone_ = std::move(gone);
  const int error = add();
  if (error != 0) {
    stop();
    return error;
  }
  listen();
  return 0;
}

void ManagerNodeWatch::stop() {
  ++round_;
  pause_.cancel();
  boost::system::error_code ignored;
  events_.close(ignored);
}

// For one event.
int ManagerNodeWatch::add() {
  const int watch = ::inotify_add_watch(events_.native_handle(), node_.c_str(),
                                        IN_OPEN | IN_MODIFY | IN_CLOSE | IN_ONESHOT);
  return watch < 0 ? errno : 0;
}

void ManagerNodeWatch::listen() {
  events_.async_read_some(boost::asio::buffer(buffer_),
                          [this, round = round_](const boost::system::error_code& error, auto) {
                            if (!error && round == round_) heard();
                          });
}

// What the events are does not matter, nor how many.
void ManagerNodeWatch::heard() {
  pause_.expires_after(kWatchPause);
  pause_.async_wait([this, round = round_](const boost::system::error_code& stopped) {
    if (!stopped && round == round_) watch_again();
  });
  used_();
}

void ManagerNodeWatch::watch_again() {
  // That the watch has ended, once for each.
  while (::read(events_.native_handle(), buffer_.data(), buffer_.size()) > 0) {
  }
  if (const int error = add(); error != 0) {
    stop();
    return gone_(error);
  }
  listen();
}

}  // namespace tbs::device
