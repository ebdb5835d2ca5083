#include "daemon/device/embedded/sandbox.h"

#include "daemon/sandbox/calls.h"

namespace tbs::device::embedded {

std::expected<void, std::string> enter_sandbox() {
  sandbox::Filter filter;
  filter.allow(sandbox::kBasicCalls);
  filter.allow(sandbox::kFileCalls);
  filter.forbid(sandbox::kAttacks);
  filter.forbid(sandbox::kStartOfPrograms);
  sandbox::allow_memory(filter);
  return filter.load();
}

}  // namespace tbs::device::embedded
