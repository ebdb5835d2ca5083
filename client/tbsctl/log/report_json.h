#pragma once

// The report for programs.

#include <nlohmann/json_fwd.hpp>

#include "client/tbsctl/log/report.h"

namespace tbs::ctl {

nlohmann::ordered_json report_json(const LogReport& report);

}  // namespace tbs::ctl
