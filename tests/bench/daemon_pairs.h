#pragma once

// What something costs: a daemon with it and one without it, measured in turn, each pair beside the
// other.

#include <string>
#include <vector>

#include "tests/bench/daemon.h"
#include "tests/bench/report.h"
#include "tests/bench/samples.h"
#include "tests/bench/setup.h"

namespace tbs::bench {

struct Pairs {
  std::vector<double> added;  // us at p50
  std::vector<double> ratio;  // of the rates
  std::vector<Rate> with;
  std::vector<Rate> without;
};

// GetRandom(16) by so many clients at once.
Pairs compare(const Setup& setup, const Daemon& with, const Daemon& without, unsigned clients);

// A table of pairs: medians, and the spread.
std::vector<std::string> pair_columns();
std::vector<Value> pair_row(unsigned clients, const Pairs& pairs);

}  // namespace tbs::bench
