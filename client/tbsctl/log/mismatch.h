#pragma once

// A PCR that is not what the logs make of it, in words.

#include <string>
#include <string_view>

#include "client/tbsctl/log/report.h"

namespace tbs::ctl {

// "equal", "earlier", "differs", "absent"
std::string agreement_text(Agreement agreement);
// Whether it is an NV index that is extended like a PCR.
bool is_nvpcr(const ReplayedPcr& pcr);
// Its number; the name of an NvPCR.
std::string pcr_name(const LogReport& report, const ReplayedPcr& pcr);
// "left-out", "twice", "swapped", "unknown"
std::string cause_name(Cause cause);

// The first one; null when there is none, or nothing was compared.
const Comparison* first_mismatch(const LogReport& report);

// Where the TPM and the logs part ways: up to which record they agree, or what would explain it.
std::string mismatch_text(const LogReport& report, const Comparison& comparison);

}  // namespace tbs::ctl
