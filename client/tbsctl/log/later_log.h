#pragma once

// What was measured after the firmware's log had ended, by the kernel (IMA) and by systemd, in logs
// of their own.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/tbsctl/log/description.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

struct LaterDigest {
  std::uint16_t algorithm = 0;
  proto::Buffer value;
  // What an older kernel extended instead, where that may be: 20 bytes of SHA-1 and zeros. Empty
  // where there is no such thing.
  proto::Buffer old_value;
};

// What an NvPCR held when systemd had made it, where a record of another register says so.
struct NvPcrStart {
  std::uint32_t number = 0;
  std::uint16_t algorithm = 0;
  proto::Buffer value;
};

struct LaterRecord {
  std::string name;                  // "ima-ng", "phase"
  std::optional<std::uint32_t> pcr;  // none: an NV index that is extended like a PCR
  std::string nv_index;              // its name or number, then
  std::optional<std::uint32_t> nv_number = std::nullopt;  // where it is known
  std::optional<NvPcrStart> nv_start = std::nullopt;
  std::vector<LaterDigest> digests;
  Description description;
};

struct LaterLog {
  std::string format;  // "ima", "ima-ascii", "systemd"
  std::vector<LaterRecord> records;
  // Why it could not be read to its end; empty when it was.
  std::string fault;
};

}  // namespace tbs::ctl
