#include "daemon/device/embedded/confine.h"

#include "daemon/confine/calls.h"

namespace tbs::device::embedded {

std::expected<void, std::string> confine() {
  confine::Filter filter;
  filter.allow(confine::kBasicCalls);
  filter.allow(confine::kFileCalls);
  filter.forbid(confine::kAttacks);
  filter.forbid(confine::kStartOfPrograms);
  confine::allow_memory(filter);
  return filter.load();
}

}  // namespace tbs::device::embedded
