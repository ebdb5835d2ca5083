#pragma once

// How the TPM's slots are shared. With `auto` it tells the decision (exec/kernel_use) what is seen
// of the kernel's users, and the engine what is decided; else nothing changes.

#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "daemon/config/config.h"
#include "daemon/device/manager_node.h"
#include "daemon/exec/kernel_use.h"
#include "daemon/loop/asio_alarm.h"

namespace tbs {

// Until more is known, others find free slots.
exec::Share first_share(ShareMode mode);

class ShareControl {
 public:
  // `changed` is called from the loop, and from within begin().
  ShareControl(boost::asio::io_context& io, ShareMode mode,
               std::function<void(exec::Share)> changed);

  // A TPM is served, or is served again: the path of its node, or anything else where it is none of
  // the kernel's.
  void begin(const std::string& device);
  void stop();

 private:
  void look(const std::string& node);
  void unseen(const std::string& node, int error);
  void decide();

  device::ManagerNodeWatch watch_;
  loop::AsioAlarm alarm_;
  std::function<void(exec::Share)> changed_;
  exec::KernelUse use_;
  std::string device_;
  const ShareMode mode_;
  exec::Share share_;
};

}  // namespace tbs
