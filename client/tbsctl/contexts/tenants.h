#pragma once

#include <cstdint>
#include <vector>

#include "client/tbsctl/connection/conversation.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {

// Asks tbsd for the names of its tenants when one of these numbers is a tenant's. A daemon that has
// no tenants may be one that does not know the question. Without an answer numbers stay numbers.
void learn_tenants(Conversation& daemon, const std::vector<std::uint32_t>& numbers,
                   UserNames& users);

// The same for entries of a list, each with a uid.
template <typename Entry>
void learn_tenants(Conversation& daemon, const std::vector<Entry>& entries, UserNames& users) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(entries.size());
  for (const Entry& entry : entries) numbers.push_back(entry.uid);
  learn_tenants(daemon, numbers, users);
}

}  // namespace tbs::ctl
