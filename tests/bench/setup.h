#pragma once

// What a run is made of: the programs to measure and how much time to spend on them.

#include <chrono>
#include <string>
#include <vector>

namespace tbs::bench {

struct Setup {
  std::string tbsd;
  std::string tbsctl;
  // Of one measurement on a TPM without delays, and how often each is repeated.
  std::chrono::duration<double> duration{0.5};
  unsigned rounds = 5;
  bool json = false;
  std::vector<std::string> sections;  // all when empty
};

}  // namespace tbs::bench
