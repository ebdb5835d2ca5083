#pragma once

// Device paths in the words of the UEFI Specification 2.10 ("Device Path to Text"):
// "PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0,0xffff,0x0)/HD(1,GPT,...)/\EFI\debian\shimx64.efi".

#include <string>

#include "proto/byte_reader.h"

namespace tbs::ctl {

struct DevicePath {
  std::string text;        // up to where it could be read; cut
  std::string file;        // what its file nodes name; empty when they name none
  std::uint32_t part = 0;  // number of the partition; 0 without one
};

// Ends at the first end node, at what is no node, or with the bytes.
DevicePath read_device_path(proto::Bytes bytes);

// "\EFI\debian\shimx64.efi on partition 1", else the path's text.
std::string place_text(const DevicePath& path);

}  // namespace tbs::ctl
