#pragma once

// Reads the tenants' folder and the group database: not from the event loop.

#include <expected>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "proto/rules/rules.h"

namespace tbs {

// In the order of their names; none when there is no such folder. Of `config` it takes the folder,
// the limits of users and the device. The error names the file.
std::expected<std::vector<Tenant>, std::string> read_tenants(const Config& config,
                                                             const rules::Rules& rules);

}  // namespace tbs
