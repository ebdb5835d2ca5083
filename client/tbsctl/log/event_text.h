#pragma once

// Events of the log in words. Names and structures: TCG PC Client Platform Firmware Profile
// Specification 1.05, "Event Types" and "Event Structures"; UEFI 2.10 for GUIDs and device paths.

#include <cstdint>
#include <string>
#include <string_view>

#include "client/tbsctl/log/event_log.h"

namespace tbs::ctl {

// "EV_SEPARATOR"; "EV_0x12345678" for a type that has no name.
std::string event_name(std::uint32_t type);

// What the data of an event says, on one line of printable characters; it may be cut.
std::string event_text(const Event& event);

}  // namespace tbs::ctl
