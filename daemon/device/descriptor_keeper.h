#pragma once

// Keeps copies of descriptors for the process that comes after this one: the service manager does
// (FDSTORE=1, sd_notify(3)).

#include <functional>
#include <string>

namespace tbs::device {

class DescriptorKeeper {
 public:
  virtual ~DescriptorKeeper() = default;

  // The descriptor stays the caller's, and open until it was dropped.
  virtual void keep(std::string name, int descriptor) = 0;
  // `gone` is called once, and never within this call, when the keeper has no copy any more, or
  // cannot say. It may be null.
  virtual void drop(std::string name, std::move_only_function<void()> gone) = 0;
};

}  // namespace tbs::device
