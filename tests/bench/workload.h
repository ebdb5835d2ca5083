#pragma once

// What clients do with keys, in a closed loop, on one path.

#include <chrono>

#include "tests/bench/access_paths.h"
#include "tests/bench/samples.h"

namespace tbs::bench {

enum class Work : std::uint8_t { SignByPassword, SignBySession, ReadPublic };

struct Workload {
  const char* name;
  Work work = Work::SignByPassword;
  unsigned clients = 1;
  unsigned keys = 1;  // of each client, used in turn
};

struct Outcome {
  Rate rate;
  double tpm_commands = 0;  // that reached the TPM, for each command of a client
};

// Makes the keys at full speed, works at the chip's, and leaves nothing behind.
Outcome run_workload(AccessPath& path, const Workload& workload,
                     std::chrono::duration<double> duration);

}  // namespace tbs::bench
