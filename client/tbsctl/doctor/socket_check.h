#pragma once

// The socket that programs use, and who listens there.

#include <cstdint>
#include <string>

#include "client/socket_stream.h"
#include "client/tbsctl/doctor/finding.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {

struct SocketFacts {
  std::string path;
  std::string chosen_by;  // "--socket", "TBS_SOCKET"; empty: it is where everybody looks
  bool administrators = false;
  bool exists = false;
  int error = 0;  // why it cannot be looked at (errno), other than that it is not there
  bool is_socket = false;
  std::uint32_t mode = 0;  // the permissions
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string owner;            // "root:tbs"
  std::string unreachable;      // why tbsd cannot be asked there; empty when it can
  bool nobody_listens = false;  // and that this is why
  std::string daemon_version;   // empty when it did not say
};

// `named`: by the user, or empty.
SocketFacts socket_facts(const std::string& named);

Findings check_socket(const SocketFacts& facts, const std::string& own_version);

}  // namespace tbs::ctl
