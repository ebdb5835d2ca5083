#pragma once

// Closed loops: as many threads as there are tasks, each repeating its own without a pause.

#include <functional>
#include <vector>

#include "tests/bench/client.h"
#include "tests/bench/samples.h"

namespace tbs::bench {

using Task = std::function<void()>;

// Runs all tasks for this long after a tenth of it as warm-up, and counts what ended in time.
// Rethrows what a task throws.
Rate run_load(const std::vector<Task>& tasks, std::chrono::duration<double> duration);

}  // namespace tbs::bench
