#pragma once

// The PCRs of the TPM, read through tbsd.

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "client/tbsctl/connection/conversation.h"
#include "client/tbsctl/log/replay.h"

namespace tbs::ctl {

// PCRs of a bank, one bit each.
struct PcrSelection {
  std::uint16_t algorithm = 0;
  std::uint32_t pcrs = 0;
};

// "sha256", "sha256:0,7", "sha1:0-3,8"; several of them with + between. The error says what is
// wrong.
std::expected<std::vector<PcrSelection>, std::string> parse_selection(std::string_view text);

// The banks that the TPM has, and the PCRs in each. The conversation is a context.
std::expected<std::vector<PcrSelection>, Failure> tpm_banks(Conversation& daemon);

// The values, in order of the selection. What the TPM has not got is left out.
std::expected<std::vector<PcrValue>, Failure> read_pcrs(Conversation& daemon,
                                                        const std::vector<PcrSelection>& wanted);

}  // namespace tbs::ctl
