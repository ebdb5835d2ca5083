#pragma once

// What may be used of everything that is bounded, and how near somebody is to it.

#include "daemon/policy/backlog.h"
#include "daemon/policy/ownership.h"
#include "daemon/server/admission.h"
#include "daemon/server/clients.h"
#include "daemon/server/command_sink.h"
#include "proto/message.h"

namespace tbs::server {

proto::LimitList limit_usage(const Clients& clients, CommandSink& sink, const Admission& admission,
                             const policy::Backlog& backlog, const policy::Ownership& ownership);

}  // namespace tbs::server
