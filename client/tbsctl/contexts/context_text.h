#pragma once

// One context in words, and as JSON.

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "client/tbsctl/text/colour.h"
#include "client/tbsctl/text/user_names.h"
#include "proto/message.h"

namespace tbs::ctl {

// "idle", "waiting", "running", "detached"; and all of these.
std::string context_state(const proto::ContextEntry& entry);
Colour context_colour(const proto::ContextEntry& entry);
std::string context_states();

// "Create for 1.2 s"; a detached command was cancelled, but holds the TPM until it ends.
std::string activity_text(const proto::ContextEntry& entry);

nlohmann::ordered_json context_json(const proto::ContextEntry& entry, UserNames& users);

}  // namespace tbs::ctl
