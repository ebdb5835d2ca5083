#pragma once

// Which record first explains a PCR that is not what the log makes of it.

#include <optional>

#include "client/tbsctl/log/replay.h"

namespace tbs::ctl {

struct Unseen {
  std::size_t first_unseen = 0;
  std::optional<std::size_t> last_seen;
};
// Whether the TPM holds a value that the PCR had on the way, and what it has not seen then.
std::optional<Unseen> find_prefix(const ReplayedPcr& pcr, const proto::Buffer& value);

struct Deviation {
  Cause cause = Cause::Unknown;
  std::size_t record = 0;
};
// Whether one record left out, measured twice or swapped with the next one gives the value; the
// first that does. Each record is tried with all that come after it: `work` is how many digests may
// still be made for that; what would take more is not tried.
std::optional<Deviation> find_deviation(const ReplayedPcr& pcr, const proto::Buffer& value,
                                        std::size_t& work);

}  // namespace tbs::ctl
