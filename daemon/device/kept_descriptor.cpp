#include "daemon/device/kept_descriptor.h"

#include <algorithm>

#include <unistd.h>

namespace tbs::device {

int take_descriptor(std::vector<KeptDescriptor>& left, std::string_view name) {
  const auto found = std::ranges::find(left, name, &KeptDescriptor::name);
  if (found == left.end()) return -1;
  const int descriptor = found->descriptor;
  left.erase(found);
  return descriptor;
}

void close_descriptors(std::vector<KeptDescriptor>& left) {
  for (const KeptDescriptor& one : left) ::close(one.descriptor);
  left.clear();
}

}  // namespace tbs::device
