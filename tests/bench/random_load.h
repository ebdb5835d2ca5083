#pragma once

// Clients that ask for random numbers as fast as they are answered.

#include <chrono>

#include "tests/bench/client.h"
#include "tests/bench/samples.h"

namespace tbs::bench {

// GetRandom(16) by so many clients at once.
Rate random_load(const OpenClient& open, unsigned clients, std::chrono::duration<double> duration);

}  // namespace tbs::bench
