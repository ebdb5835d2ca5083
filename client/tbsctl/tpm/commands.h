#pragma once

// Subcommands about the TPM itself, and those that send it commands.

#include <functional>
#include <optional>

#include "client/tbsctl/command_line/subcommand.h"
#include "client/tbsctl/tpm/tpm_details.h"
#include "proto/byte_writer.h"

namespace tbs::ctl {

Subcommand info_subcommand();
Subcommand id_subcommand();
Subcommand random_subcommand();
Subcommand submit_subcommand();

// `ask`: what the TPM itself is asked with; may be empty.
Outcome run_info(Conversation& daemon, const Console& console,
                 const std::function<std::optional<TpmDetails>()>& ask = {});
Outcome run_id(Conversation& daemon, const Console& console);
Outcome run_random(Conversation& daemon, const Console& console, std::uint64_t count, bool raw);

struct SubmitRequest {
  proto::Buffer command;  // a whole TPM command, checked by command_bytes.h
  std::uint32_t priority = 0;
  std::uint32_t locality = 0;
  bool raw = false;  // print the response as bytes instead of hexadecimal
};

Outcome run_submit(Conversation& daemon, const Console& console, const SubmitRequest& request);

}  // namespace tbs::ctl
