#pragma once

// What a page of metrics is made of: plain numbers, as they are at one moment.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/exec/statistics.h"
#include "daemon/sched/counters.h"
#include "daemon/server/refusal_counts.h"
#include "proto/message.h"

namespace tbs::metrics {

struct Named {
  std::string name;
  std::uint64_t number = 0;
};

// How much of a limit on users the one has who has most of those with a role.
struct RoleQuota {
  std::string role;
  std::string limit;
  std::uint64_t used = 0;
};

struct DeviceReading {
  proto::DeviceState state = proto::DeviceState::Starting;
  std::uint64_t losses = 0;
  std::string name;
  std::string manufacturer;
  std::string family;  // "1.2", "2.0", or empty while it is not known
};

// Against guessing. What the TPM says is as it was when it was asked last.
struct LockoutReading {
  std::uint32_t tpm_failures = 0;
  std::uint32_t tpm_limit = 0;  // 0: not known
  std::uint64_t users_failed = 0;
  std::uint64_t users_locked = 0;
};

// One TPM and its clients.
struct TpmReading {
  std::string tenant;  // whose own it is; empty: the machine's
  DeviceReading device;
  LockoutReading lockout;
  sched::Counters counters;
  exec::Statistics statistics;
  server::RefusalCounts refusals{};
  server::EventCounts events{};
  std::uint64_t queued = 0;
  std::uint64_t connections = 0;
  std::uint64_t contexts = 0;
  std::vector<Named> contexts_by_role;
  std::vector<RoleQuota> quotas_by_role;
  std::vector<Named> contexts_by_user;  // empty when nobody asked for it
  std::vector<proto::LimitEntry> limits;
  std::uint64_t restarts = 0;
};

struct Reading {
  std::string version;
  double start_time = 0;  // of the process, in seconds since 1970
  Duration loop_gap{};
  std::vector<TpmReading> tpms;  // the machine's first
};

}  // namespace tbs::metrics
