#pragma once

// Finds out how tbsd and its TPM are, within a time, whatever they do.

#include <chrono>
#include <functional>
#include <memory>

#include "client/tbsctl/connection/stream.h"
#include "client/tbsctl/health/health.h"

namespace tbs::ctl {

struct HealthQuestion {
  std::chrono::milliseconds time{0};  // for all of it
  bool ask_tpm = true;                // with a short command
};

// Connects to tbsd until the deadline.
using Connector =
    std::function<std::expected<std::unique_ptr<Stream>, Failure>(client::Deadline deadline)>;

HealthFacts ask_health(const Connector& connect, const HealthQuestion& question);

}  // namespace tbs::ctl
