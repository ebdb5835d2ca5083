#pragma once

// Why tbsctl ends otherwise than well: its exit code and the one line it prints. The codes are
// documented in tbsctl(1).

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/status.h"

namespace tbs::ctl {

enum class Exit : std::uint8_t {
  Ok = 0,
  Failed = 1,       // a file cannot be read, the output not be written, the protocol is broken
  Usage = 2,        // options or arguments are wrong
  Unreachable = 3,  // tbsd cannot be reached or went away
  Tbs = 4,          // tbsd refused: a TBS_E_ code
  Tpm = 5,          // the TPM answered with a response code other than success
  NotReady = 6,     // status: the TPM cannot be used as it should be
  // Of health alone, which says on standard output what it has to say.
  Degraded = 1,
  Down = 2,
};

// What helps against a failure.
enum class Advice : std::uint8_t {
  None,
  Wait,      // the daemon is starting
  Health,    // of the daemon
  Contexts,  // who holds what is used up
  Tpm,       // which TPM there is
  Rights,    // whose socket gives them
};

struct Failure {
  Exit exit;
  std::string message;  // what failed and why, without a newline; empty: that was said already
  Advice advice = Advice::None;
};

// "WHAT: the command was cancelled (TBS_E_COMMAND_CANCELED, 0x8028400D)", and what helps.
Failure tbs_failure(std::string_view what, proto::Status status);

// "; see `tbsctl status`", or nothing. Never advises the subcommand that has just failed.
std::string advice_text(Advice advice, std::string_view subcommand);

}  // namespace tbs::ctl
