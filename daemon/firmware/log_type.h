#pragma once

#include <cstdint>

#include "proto/status.h"

namespace tbs::firmware {

// Success for a type (TBS_TCGLOG_*) that Linux has: of this boot. There is no log of a resume, and
// none of a dynamic launch.
proto::Status status_of_log_type(std::uint32_t log_type);

}  // namespace tbs::firmware
