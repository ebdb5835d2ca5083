#pragma once

// What a TPM says about itself beside what tbsd knows: its vendor's text, its firmware, its banks
// of PCRs.

#include <optional>
#include <string>
#include <vector>

#include "client/tbsctl/connection/conversation.h"
#include "client/tbsctl/pcr/read_pcrs.h"

namespace tbs::ctl {

struct TpmDetails {
  std::string vendor;    // "SLB9670"; may be empty
  std::string firmware;  // "7.85.4555.0"; may be empty
  std::vector<PcrSelection> banks;
};

// Four numbers of 16 bits, as vendors and other systems write it.
std::string firmware_text(std::uint32_t high, std::uint32_t low);

// The conversation is a context. What the TPM does not say stays empty.
TpmDetails ask_details(Conversation& daemon);

}  // namespace tbs::ctl
