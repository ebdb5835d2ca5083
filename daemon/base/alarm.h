#pragma once

// One call at a later time, for parts that know no clock of their own.

#include <functional>

#include "daemon/base/clock.h"

namespace tbs {

class Alarm {
 public:
  using Call = std::move_only_function<void()>;

  virtual ~Alarm() = default;

  // Takes the place of what was set before. `call` is never called from within this.
  virtual void set(Duration after, Call call) = 0;
  virtual void cancel() = 0;
};

}  // namespace tbs
