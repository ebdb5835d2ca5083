#pragma once

// A part of the event log, as the kernel hands it out. The file has no size of its own (securityfs
// makes it up while it is read), so where it ends is found out by reading.

#include <cstdint>
#include <expected>
#include <string>

#include "proto/byte_writer.h"
#include "proto/status.h"

namespace tbs::firmware {

struct LogBytes {
  bool more = false;  // the log goes on behind these bytes
  proto::Buffer bytes;
};

struct ReadFailure {
  proto::Status status;
  std::string reason;  // for the administrator; empty where there is nothing to repair
};

// At most kMaxLogPart bytes from `offset` on. NoEventLog when there is no file or nothing in it.
// Blocks.
std::expected<LogBytes, ReadFailure> read_log_part(const std::string& path, std::uint64_t offset);

}  // namespace tbs::firmware
