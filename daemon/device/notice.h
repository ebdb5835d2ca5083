#pragma once

// What an administrator should know but what is no failure: "no right to write ...". The caller
// logs it.

#include <functional>
#include <string>

namespace tbs::device {

using Notice = std::move_only_function<void(std::string)>;

}  // namespace tbs::device
