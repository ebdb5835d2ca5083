#pragma once

// The subcommands, one file each. All take a conversation that has greeted the daemon with the role
// they need, print to the console, and return why they failed.

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "client/tbsctl/bridge/bridge_options.h"
#include "client/tbsctl/connection/conversation.h"
#include "client/tbsctl/pcr/read_pcrs.h"
#include "client/tbsctl/text/console.h"
#include "client/tbsctl/text/failure.h"
#include "proto/byte_reader.h"

namespace tbs::ctl {

struct Options;

using Outcome = std::expected<void, Failure>;

// Role Observer.
Outcome run_info(Conversation& daemon, const Console& console);
Outcome run_status(Conversation& daemon, const Console& console);
Outcome run_contexts(Conversation& daemon, const Console& console);
Outcome run_limits(Conversation& daemon, const Console& console);
Outcome run_lockout_reset(Conversation& daemon, const Console& console, std::uint32_t uid);
Outcome run_cancel(Conversation& daemon, const Console& console, std::uint64_t context);

struct SubmitRequest {
  proto::Buffer command;  // a whole TPM command, checked by read_command()
  std::uint32_t priority = 0;
  std::uint32_t locality = 0;
  bool raw = false;  // print the response as bytes instead of hex
};

// Role Context: the TPM is asked as well.
Outcome run_lockout(Conversation& daemon, const Console& console);

// These need no daemon.
// Becomes journalctl(1); returns only when that cannot be.
Outcome run_events(const Console& console);
Outcome run_policy_check(const Console& console, const std::string& folder);
Outcome run_policy_explain(const Console& console, const Options& options);

// Role Context.
Outcome run_submit(Conversation& daemon, const Console& console, const SubmitRequest& request);
Outcome run_random(Conversation& daemon, const Console& console, std::uint64_t count, bool raw);

// Nothing selected: every bank that the TPM has.
Outcome run_pcr(Conversation& daemon, const Console& console,
                const std::vector<PcrSelection>& wanted);
Outcome run_id(Conversation& daemon, const Console& console);

struct LogRequest {
  std::string file;     // decode this one instead of the daemon's
  bool raw = false;     // print it as it is
  bool compare = true;  // with the PCRs of the TPM; then the role is Context, else Observer
};

// `daemon` is null when the log is in a file, which is compared with nothing.
Outcome run_log(Conversation* daemon, const Console& console, const LogRequest& request);

struct PresenceRequest {
  std::optional<std::uint32_t> operation;  // to submit; nothing: show
  std::optional<std::uint32_t> parameter;
  bool confirmed = false;
};

// Role Observer.
Outcome run_ppi(Conversation& daemon, const Console& console, const PresenceRequest& request);

// Without a conversation: makes contexts of its own, on the daemon's `socket` (empty: the default).
// Prints where it listens and returns when it is told to stop.
Outcome run_bridge(const BridgeOptions& options, const std::string& socket, const Console& console);

}  // namespace tbs::ctl
