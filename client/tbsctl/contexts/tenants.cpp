#include "client/tbsctl/contexts/tenants.h"

#include <algorithm>

#include "proto/limits.h"

namespace tbs::ctl {

void learn_tenants(Conversation& daemon, const std::vector<std::uint32_t>& numbers,
                   UserNames& users) {
  const auto is_tenant = [](std::uint32_t number) {
    return number >= proto::kFirstTenantNumber && number != proto::kNobody;
  };
  if (std::ranges::none_of(numbers, is_tenant)) return;
  const auto list = daemon.ask(proto::ListTenants{});
  if (!list) return;
  for (const proto::TenantEntry& tenant : list->entries) {
    if (is_tenant(tenant.number)) users.add_tenant(tenant.number, tenant.name);
  }
}

}  // namespace tbs::ctl
