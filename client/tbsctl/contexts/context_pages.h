#pragma once

// The whole list of contexts, asked for page by page.

#include <vector>

#include "client/tbsctl/connection/conversation.h"

namespace tbs::ctl {

// In ascending order of number. A daemon whose pages do not advance is a failure, not a loop.
std::expected<std::vector<proto::ContextEntry>, Failure> all_contexts(Conversation& daemon);

}  // namespace tbs::ctl
