#pragma once

// NvPCRs: NV indices of the TPM that are extended as PCRs are, read through tbsd.

#include <cstdint>
#include <expected>
#include <set>
#include <vector>

#include "client/tbsctl/connection/conversation.h"
#include "client/tbsctl/log/replay.h"

namespace tbs::ctl {

// Those with these numbers. What is not there, is extended in no such way, or may not be read
// without an authorization, is left out. The conversation is a context.
std::expected<std::vector<PcrValue>, Failure> read_nvpcrs(Conversation& daemon,
                                                          const std::set<std::uint32_t>& numbers);

}  // namespace tbs::ctl
