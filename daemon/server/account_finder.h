#pragma once

// To which account a user is charged (policy/subordinate_users.h): by /etc/subuid, which is read
// again when it changes, and by what the kernel tells of the user namespace of the process.

#include <chrono>
#include <string>

#include <sys/stat.h>
#include <sys/types.h>

#include <boost/asio/io_context.hpp>

#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/loop/blocking_calls.h"
#include "daemon/policy/subordinate_users.h"

namespace tbs::server {

class AccountFinder {
 public:
  // `path`: of the file with the ranges. It is read at once, and from then on by a helper thread,
  // because names may have to be looked up in a directory.
  explicit AccountFinder(boost::asio::io_context& io, std::string path = "/etc/subuid");

  // What costs nothing to find out.
  [[nodiscard]] AccountId account_of(UserId user);
  // And what the kernel tells of the process, which must be alive when this returns.
  [[nodiscard]] AccountId account_of(UserId user, pid_t process);

 private:
  void read_again_if_changed();

  std::string path_;
  std::string own_map_;  // of the daemon's own namespace
  policy::SubordinateUsers subordinate_;
  struct stat read_{};
  TimePoint next_look_;
  loop::BlockingCalls reader_;
};

}  // namespace tbs::server
