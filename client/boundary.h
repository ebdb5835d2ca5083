#pragma once

// Every exported function runs its body in here, so that no exception leaves the library. The only
// one to expect is std::bad_alloc.

#include "client/include/tbs/tbs.h"
#include "proto/status.h"

namespace tbs::client {

template <typename Body>
TBS_RESULT at_boundary(Body body) noexcept {
  try {
    return static_cast<TBS_RESULT>(body());
  } catch (...) {
    return TBS_E_INTERNAL_ERROR;
  }
}

}  // namespace tbs::client
