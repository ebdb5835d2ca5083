#pragma once

// What `top` knows of one moment: the daemon, its TPM, and every context with what the TPM does for
// it.

#include <cstdint>
#include <expected>
#include <vector>

#include "client/tbsctl/connection/conversation.h"

namespace tbs::ctl {

struct TopContext {
  proto::ContextEntry entry;
  proto::ActivityEntry activity;
};

struct TopSample {
  client::Clock::time_point time;
  proto::DaemonStatusReply status;
  proto::ActivityList tpm;           // of all contexts; its entries are in `contexts`
  std::vector<TopContext> contexts;  // in ascending order of number
};

// Asks for all of it until the deadline.
std::expected<TopSample, Failure> ask_top(Conversation& daemon, client::Deadline deadline);

// The context with this number; null when it is not open.
const TopContext* find_context(const TopSample& sample, std::uint64_t context);

}  // namespace tbs::ctl
