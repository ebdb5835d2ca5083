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
};

struct Failure {
  Exit exit;
  std::string message;  // what failed, why, what to do; without a newline
};

// "WHAT: the command was cancelled (TBS_E_COMMAND_CANCELED, 0x8028400D)", and what to do where
// there is something.
Failure tbs_failure(std::string_view what, proto::Status status);

}  // namespace tbs::ctl
