#pragma once

// A tenant's own TPM, as far as the configuration says it.

#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace tbs::config {

// What the tenant's TPM is run with: as the daemon's, but for the device, the folder, and what only
// a machine's own TPM has (its firmware's files, administrators).
Config config_of(const Config& daemon, const Tenant& tenant);

// Makes the folders for what the daemon keeps of tenants' TPMs. What went wrong, for the log. It
// blocks: not to be called from the event loop.
std::vector<std::string> make_tenant_folders(const Config& daemon);

// Whether a program must be started for some TPM.
bool starts_programs(const Config& daemon);

}  // namespace tbs::config
