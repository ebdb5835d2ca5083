#pragma once

// The event log as tbsd gives it, and all that the TPM's PCRs hold.

#include <expected>
#include <vector>

#include "client/tbsctl/connection/conversation.h"
#include "client/tbsctl/log/replay.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

// However many parts there are, it takes no longer than one answer may.
std::expected<proto::Buffer, Failure> log_of_daemon(Conversation& daemon);

// Of every bank. The conversation is a context.
std::expected<std::vector<PcrValue>, Failure> all_pcrs(Conversation& daemon);

}  // namespace tbs::ctl
