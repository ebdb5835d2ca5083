#pragma once

// What a device said of itself over SPDM (TCG PC Client Platform Firmware Profile Specification
// 1.06, DEVICE_SECURITY_EVENT_DATA and DEVICE_SECURITY_EVENT_DATA2).

#include <optional>

#include "client/tbsctl/log/description.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

// "PCI device 8086:1572, measurement 1, not authenticated"; nothing when the bytes are neither.
std::optional<Description> describe_device_security(proto::Bytes bytes);

}  // namespace tbs::ctl
