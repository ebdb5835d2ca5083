#pragma once

// The descriptors that this process was started with (sd_listen_fds_with_names(3)): listening
// sockets of socket units, and what a predecessor has left with the service manager, or has handed
// over itself (execute_again).

#include <string>
#include <vector>

#include "daemon/host/left_name.h"

namespace tbs::host {

struct InheritedSocket {
  int descriptor = -1;
  std::string name;  // FileDescriptorName= of the socket unit
};

struct LeftDescriptor {
  LeftName name;
  int descriptor = -1;
};

struct InheritedDescriptors {
  // What listens, whatever its name.
  std::vector<InheritedSocket> sockets;
  std::vector<LeftDescriptor> left;
  // Names of what is of no use, and closed: the service manager may still have it.
  std::vector<std::string> refused;
};

struct NamedDescriptor {
  std::string name;
  int descriptor = -1;
};

// All are closed when another program is executed. The second call finds nothing.
InheritedDescriptors inherited_descriptors();

// Tells them apart, and says in the log what is refused.
InheritedDescriptors sort_descriptors(const std::vector<NamedDescriptor>& all);

// The sockets alone; what was left is closed.
std::vector<InheritedSocket> inherited_sockets();

}  // namespace tbs::host
