#pragma once

// Every limit, and who is nearest to it, from the counters that the limits are enforced with.

#include "daemon/policy/backlog.h"
#include "daemon/policy/ownership.h"
#include "daemon/server/admission.h"
#include "daemon/server/command_sink.h"
#include "proto/message.h"

namespace tbs::server {

[[nodiscard]] proto::LimitList limit_usage(const CommandSink& sink, const Admission& admission,
                                           const policy::Backlog& backlog,
                                           const policy::Ownership& ownership);

}  // namespace tbs::server
