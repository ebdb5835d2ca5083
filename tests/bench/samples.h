#pragma once

// What a measurement says: how many, how long. Times are in microseconds.

#include <chrono>
#include <cstddef>
#include <vector>

namespace tbs::bench {

using Clock = std::chrono::steady_clock;
using Micros = std::chrono::duration<double, std::micro>;

inline double micros_since(Clock::time_point start) {
  return Micros(Clock::now() - start).count();
}

// The value below which this share (0 to 1) of the samples lies; 0 when there are none.
double percentile(std::vector<double> samples, double share);
inline double median(std::vector<double> samples) {
  return percentile(std::move(samples), 0.5);
}

struct Rate {
  double per_second = 0;
  double p50 = 0;
  double p99 = 0;
  double commands = 0;  // those of the warm-up and the last ones included
};

// Several rounds of the same measurement: the median of each number.
Rate median_of(const std::vector<Rate>& rounds);

}  // namespace tbs::bench
