#pragma once

// The command line of tbsctl.

#include <cstdint>
#include <expected>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "client/tbsctl/bridge/bridge_options.h"
#include "client/tbsctl/command_line/commands.h"
#include "client/tbsctl/text/failure.h"
#include "client/tbsctl/text/priority.h"

namespace tbs::ctl {

enum class Command : std::uint8_t {
  Info,
  Status,
  Contexts,
  Limits,
  Lockout,
  LockoutReset,
  PolicyCheck,
  PolicyExplain,
  Events,
  Cancel,
  Submit,
  Random,
  Log,
  Pcr,
  Id,
  Ppi,
  Bridge,
};

// What `tbsctl policy` is asked.
struct PolicyQuestion {
  std::string folder = "/etc/tbs/policy.d";
  std::string command;  // name or number
  std::vector<std::uint32_t> gids;
  std::string unit;
  std::string cgroup;
  bool administrator = false;          // as a member of the administrators' group
  std::vector<std::uint32_t> handles;  // NV indices, persistent handles and PCRs that it names
};

struct Options {
  Command command = Command::Info;
  bool json = false;
  std::string socket;         // empty: TBS_SOCKET, else the default
  std::uint64_t context = 0;  // cancel
  std::string hex;            // submit: the command as text
  std::string file;           // submit: where it is instead; "-" is standard input; log: the log
  std::uint32_t priority = kPriorityNormal;
  std::uint32_t locality = 0;
  std::uint64_t count = 0;  // random
  bool raw = false;         // submit, random, log
  bool compare = true;      // log
  std::vector<PcrSelection> pcrs;
  PresenceRequest presence;
  BridgeOptions bridge;
  std::uint32_t uid = 0;    // lockout --reset, policy explain
  PolicyQuestion question;  // policy
};

// Nothing when the help or the version was asked for: it is printed to `out` then.
std::expected<std::optional<Options>, Failure> parse_options(int argc, const char* const* argv,
                                                             std::ostream& out);

}  // namespace tbs::ctl
