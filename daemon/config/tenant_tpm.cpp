#include "daemon/config/tenant_tpm.h"

#include <algorithm>
#include <cstring>
#include <variant>

#include <errno.h>
#include <sys/stat.h>

#include "daemon/device/device_spec.h"

namespace tbs::config {
namespace {

std::string tenants_folder(const Config& daemon) {
  return daemon.state_dir + "/tenants";
}

std::string tenant_folder(const Config& daemon, const Tenant& tenant) {
  return daemon.state_dir.empty() ? std::string() : tenants_folder(daemon) + "/" + tenant.name;
}

// An errno value, or 0.
int make(const std::string& folder) {
  return ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST ? 0 : errno;
}

bool is_embedded(const std::string& device) {
  const auto spec = device::parse_device_spec(device);
  return spec && std::holds_alternative<device::EmbeddedSpec>(*spec);
}

}  // namespace

Config config_of(const Config& daemon, const Tenant& tenant) {
  Config config = daemon;
  config.device = tenant.device;
  config.limits = tenant.limits;
  config.state_dir = tenant_folder(daemon, tenant);
  config.event_log = "none";
  config.ppi = "none";
  config.raw_contexts = false;
  config.admin_group.clear();
  config.admin_gid = 0;
  config.tenants = {tenant};
  return config;
}

std::vector<std::string> make_tenant_folders(const Config& daemon) {
  std::vector<std::string> problems;
  if (daemon.state_dir.empty()) return problems;
  for (const Tenant& tenant : daemon.tenants) {
    if (tenant.device.empty()) continue;
    const std::string folder = tenant_folder(daemon, tenant);
    int error = make(tenants_folder(daemon));
    if (error == 0) error = make(folder);
    if (error != 0) problems.push_back("cannot make " + folder + ": " + std::strerror(error));
  }
  return problems;
}

bool starts_programs(const Config& daemon) {
  return is_embedded(daemon.device) ||
         std::ranges::any_of(daemon.tenants,
                             [](const Tenant& tenant) { return !tenant.device.empty(); });
}

}  // namespace tbs::config
