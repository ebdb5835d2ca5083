#pragma once

// A service manager's end of NOTIFY_SOCKET (sd_notify(3)).

#include <chrono>
#include <string>

#include "tests/integration/support/eventually.h"
#include "tests/integration/support/temp_folder.h"

namespace tbs::test {

class NotifySocket {
 public:
  explicit NotifySocket(const TempFolder& folder);
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // For the environment of the daemon.
  [[nodiscard]] std::string environment() const { return "NOTIFY_SOCKET=" + path_; }

  // Whether a message with this line comes; messages before it are dropped.
  bool hears(const std::string& line, std::chrono::milliseconds patience = kPatience);
  // Drops what has come so far.
  void forget();

 private:
  std::string next(int patience_ms);

  std::string path_;
  int socket_;
};

}  // namespace tbs::test
