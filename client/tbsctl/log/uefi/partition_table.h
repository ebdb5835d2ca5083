#pragma once

// UEFI_GPT_DATA: the partition table of the disk that was booted from.

#include <optional>

#include "client/tbsctl/log/description.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

// "disk 1b2c...: 3 partitions", and a line for each; nothing when the bytes are no such table.
std::optional<Description> describe_partition_table(proto::Bytes bytes);

}  // namespace tbs::ctl
