#pragma once

// What a variable Boot#### holds (UEFI Specification 2.10, "Load Options").

#include <optional>

#include "client/tbsctl/log/description.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

// "debian: \EFI\debian\shimx64.efi on partition 1"; nothing when the bytes are no load option.
std::optional<Description> describe_boot_option(proto::Bytes bytes);

// BootOrder: "0001, 0000".
std::optional<std::string> boot_order_text(proto::Bytes bytes);

}  // namespace tbs::ctl
