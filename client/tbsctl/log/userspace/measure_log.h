#pragma once

// What systemd measures after boot (/run/log/systemd/tpm2-measure.log): JSON records, each after a
// record separator (RFC 7464), close to the TCG's Canonical Event Log.

#include "client/tbsctl/log/later_log.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

LaterLog read_measure_log(proto::Bytes bytes);

}  // namespace tbs::ctl
