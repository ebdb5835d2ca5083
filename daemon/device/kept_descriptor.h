#pragma once

// A descriptor that a successor needs to go on with an open device, by the name of what it is to
// that device: "node".

#include <string>
#include <string_view>
#include <vector>

namespace tbs::device {

struct KeptDescriptor {
  std::string name;
  int descriptor = -1;
};

// Takes the one of this name out of the list; -1 when there is none.
int take_descriptor(std::vector<KeptDescriptor>& left, std::string_view name);
void close_descriptors(std::vector<KeptDescriptor>& left);

}  // namespace tbs::device
