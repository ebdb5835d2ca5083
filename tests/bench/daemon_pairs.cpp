#include "tests/bench/daemon_pairs.h"

#include <utility>

#include "tests/bench/random_load.h"
#include "tests/bench/tbs_client.h"

namespace tbs::bench {

Pairs compare(const Setup& setup, const Daemon& with, const Daemon& without, unsigned clients) {
  Pairs pairs;
  for (unsigned round = 0; round < setup.rounds; ++round) {
    // Who is first has a warmer or a colder machine, so they take turns in that, too.
    const auto measure = [&](const Daemon& daemon) {
      return random_load(tbs_clients(daemon.socket()), clients, setup.duration);
    };
    const bool first = round % 2 == 0;
    Rate one = measure(first ? with : without);
    Rate other = measure(first ? without : with);
    if (!first) std::swap(one, other);
    pairs.added.push_back(one.p50 - other.p50);
    pairs.ratio.push_back(one.per_second / other.per_second);
    pairs.with.push_back(one);
    pairs.without.push_back(other);
  }
  return pairs;
}

std::vector<std::string> pair_columns() {
  return {"clients", "per s",    "without",   "ratio",     "lowest",
          "highest", "added us", "lowest us", "highest us"};
}

std::vector<Value> pair_row(unsigned clients, const Pairs& pairs) {
  return {static_cast<double>(clients),
          median_of(pairs.with).per_second,
          median_of(pairs.without).per_second,
          median(pairs.ratio),
          percentile(pairs.ratio, 0),
          percentile(pairs.ratio, 1),
          median(pairs.added),
          percentile(pairs.added, 0),
          percentile(pairs.added, 1)};
}

}  // namespace tbs::bench
