#pragma once

// Events of the log in words. Structures: TCG PC Client Platform Firmware Profile Specification
// 1.06, "Event Structures"; UEFI 2.10 for variables, device paths and partition tables.

#include <optional>
#include <string>

#include "client/tbsctl/log/description.h"
#include "client/tbsctl/log/event_log.h"
#include "client/tbsctl/log/event_names.h"

namespace tbs::ctl {

// What the data of an event says.
Description describe_event(const Event& event);
std::string event_text(const Event& event);

// Whether the event's digests are those of its data, for the types of which the profile says that
// they are. A digest of something else means that the log was changed, or that firmware does it its
// own way.
std::optional<bool> digests_fit(const Event& event);

}  // namespace tbs::ctl
