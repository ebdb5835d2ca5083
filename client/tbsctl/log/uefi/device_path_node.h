#pragma once

// One node of a device path in words.

#include <cstdint>
#include <string>

#include "proto/byte_reader.h"

namespace tbs::ctl {

// EFI_DEVICE_PATH_PROTOCOL.
struct DevicePathNode {
  std::uint8_t type = 0;
  std::uint8_t sub_type = 0;
  proto::Bytes data;
};

inline constexpr std::uint8_t kMediaNode = 4;
inline constexpr std::uint8_t kHardDriveNode = 1;
inline constexpr std::uint8_t kFileNode = 4;
inline constexpr std::uint8_t kEndNode = 0x7F;

// "Pci(0x1f,0x2)"; "Path(3,31,00ff)" for one that has no words here or is too short.
std::string node_text(const DevicePathNode& node);

}  // namespace tbs::ctl
