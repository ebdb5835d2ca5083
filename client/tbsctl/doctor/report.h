#pragma once

// Findings, printed.

#include <expected>
#include <string_view>

#include "client/tbsctl/doctor/finding.h"
#include "client/tbsctl/text/console.h"
#include "client/tbsctl/text/failure.h"

namespace tbs::ctl {

std::string_view severity_text(Severity severity);

void print_findings(const Console& console, const Findings& findings);

// Fails, without a message, when there is something to mend.
std::expected<void, Failure> verdict_of(const Findings& findings);

}  // namespace tbs::ctl
