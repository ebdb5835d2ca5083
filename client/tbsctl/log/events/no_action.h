#pragma once

// Events of type EV_NO_ACTION in words: what is told, and not measured.

#include "client/tbsctl/log/description.h"
#include "client/tbsctl/log/event_log.h"

namespace tbs::ctl {

Description describe_no_action(const Event& event);

}  // namespace tbs::ctl
