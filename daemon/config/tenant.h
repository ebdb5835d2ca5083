#pragma once

// What one file of the tenants' folder says. The name of the file, without its ending, is that of
// the tenant.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "daemon/policy/limits.h"
#include "proto/limits.h"

namespace tbs {

// Most bytes of a tenant's file.
using proto::kMaxTenants;
inline constexpr std::size_t kMaxTenantText = 65536;

struct Tenant {
  std::string name;
  std::string origin;  // the file
  std::string socket;  // empty: NAME.sock in the folder `tenants` beside everybody's socket
  std::optional<mode_t> mode;
  std::string group;
  std::string role;  // of the rules
  // Its own TPM, an embedded one (device/device_spec.h); empty: the daemon's.
  std::string device;
  policy::Limits limits;

  // Derived: the number of `group`.
  std::optional<gid_t> gid;
};

// Takes lines NAME = VALUE. `limits` are those of every user: a tenant can have less. The error
// names the file and the line.
std::expected<Tenant, std::string> parse_tenant(const std::string& name, const std::string& origin,
                                                std::string_view text,
                                                const policy::Limits& limits);

// What is wrong with having all of these at once, beside the daemon's own device.
std::expected<void, std::string> check_together(const std::vector<Tenant>& tenants,
                                                const std::string& device);

}  // namespace tbs
