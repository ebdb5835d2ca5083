#include "tests/bench/samples.h"

#include <algorithm>
#include <cmath>

namespace tbs::bench {
namespace {

double median_of(const std::vector<Rate>& rounds, double Rate::* number) {
  std::vector<double> values;
  for (const Rate& round : rounds) values.push_back(round.*number);
  return median(std::move(values));
}

}  // namespace

double percentile(std::vector<double> samples, double share) {
  if (samples.empty()) return 0;
  const auto last = static_cast<double>(samples.size() - 1);
  const auto at = samples.begin() + static_cast<std::ptrdiff_t>(std::lround(share * last));
  std::ranges::nth_element(samples, at);
  return *at;
}

Rate median_of(const std::vector<Rate>& rounds) {
  return {.per_second = median_of(rounds, &Rate::per_second),
          .p50 = median_of(rounds, &Rate::p50),
          .p99 = median_of(rounds, &Rate::p99)};
}

}  // namespace tbs::bench
