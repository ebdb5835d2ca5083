#pragma once

// What one context holds: objects, sequences, sessions.

#include <cstdint>
#include <ostream>

#include "client/tbsctl/connection/conversation.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {

std::expected<proto::HoldingList, Failure> ask_holdings(Conversation& daemon, std::uint64_t context,
                                                        client::Deadline deadline);

// The context, and below it a line for each thing.
void print_holdings(std::ostream& out, const proto::ContextEntry& entry,
                    const proto::HoldingList& list, UserNames& users);

}  // namespace tbs::ctl
