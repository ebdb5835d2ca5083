#pragma once

// Numbers and texts the way people read them.

#include <cstdint>
#include <string>
#include <string_view>

#include "client/tbsctl/text/colour.h"
#include "proto/message.h"

namespace tbs::ctl {

// "0x0000017B"
std::string hex32(std::uint32_t value);

// "0660"
std::string octal(std::uint32_t mode);

// "350 us", "12 ms", "1.2 s", "3 min 5 s", "2 h 5 min", "3 d 4 h"
std::string duration(std::uint64_t microseconds);

// A text from outside (a program names itself): control characters and bytes that are not ASCII
// become '?', so that it cannot steer a terminal.
std::string printable(std::string_view text);

// "2.0", "1.2" or "unknown", from the numbers of TPM_DEVICE_INFO.
std::string_view tpm_version_text(std::uint32_t version);
// "emulator", "SPI or I2C bus", ...
std::string_view interface_text(std::uint32_t interface_type);
// "ready", "starting", "down"
std::string_view device_state_text(proto::DeviceState state);
Colour device_state_colour(proto::DeviceState state);

// "low", "normal", ..., else the number.
std::string priority_text(std::uint32_t priority);

}  // namespace tbs::ctl
