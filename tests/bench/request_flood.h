#pragma once

// Each kind of request, asked without end by all connections that one account may have, beside
// another account that asks for random numbers, clients that come, and an administrator who looks
// at the status: what each of these waits, and how the daemon's memory grows. For root.

#include "tests/bench/report.h"
#include "tests/bench/setup.h"

namespace tbs::bench {

void add_request_floods(const Setup& setup, Section& section);

}  // namespace tbs::bench
