#pragma once

// The contexts that are open: who misbehaves, who is near a limit, and what was left behind.

#include <string>
#include <vector>

#include "client/tbsctl/doctor/finding.h"
#include "proto/message.h"

namespace tbs::ctl {

struct ContextFact {
  proto::ContextEntry entry;
  std::string user;
};

struct LimitFact {
  proto::LimitEntry entry;
  std::string user;  // who has most; empty when that is nobody
};

struct ClientFacts {
  std::string unseen;  // why tbsd did not tell; empty when it did
  std::vector<ContextFact> contexts;
  std::vector<LimitFact> limits;
};

Findings check_clients(const ClientFacts& facts);
Findings check_leftovers(const ClientFacts& facts);

}  // namespace tbs::ctl
