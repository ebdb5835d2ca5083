#pragma once

// Types of events (TCG PC Client Platform Firmware Profile Specification 1.06, "Event Types").

#include <cstdint>
#include <string>

namespace tbs::ctl {

// "EV_SEPARATOR"; "EV_0x12345678" for a type that has no name.
std::string event_name(std::uint32_t type);

}  // namespace tbs::ctl
