// A tenant's file: whatever the text, it is taken within the bounds or refused with its name.

#include "daemon/config/tenant.h"

#include <cstdint>
#include <cstdlib>

using namespace tbs;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const policy::Limits limits;
  const auto tenant = parse_tenant("web", "web.conf", text, limits);
  if (!tenant) {
    require(tenant.error().starts_with("web.conf:"));
    return 0;
  }
  require(tenant->socket.empty() || tenant->socket.starts_with('/'));
  require(tenant->mode.value_or(0) <= 0777);
  for (const policy::LimitRule& rule : policy::kLimitRules) {
    require(tenant->limits.*rule.value <= limits.*rule.value);
    require(tenant->limits.*rule.value >= rule.lowest);
  }
  require(check_together({*tenant}, "/dev/tpm0").has_value());
  return 0;
}
