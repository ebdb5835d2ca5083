#pragma once

// Response codes of TPMs in words: the name the specification gives, where in the command the fault
// is, and one sentence. Covers TPM 2.0 (Library Part 2, "TPM_RC": formats 0 and 1), TPM 1.2 (Part
// 2, "Return Codes"), the software layers that put their number in bits 16 to 23 (resource manager,
// TCTI and others of the TSS 2.0), and the codes a TBS service puts in a response itself.

#include <cstdint>
#include <string>

#include "proto/tpm_header.h"

namespace tbs::ctl {

struct RcText {
  std::string name;   // "TPM_RC_VALUE"; "unknown code" when no table has it
  std::string where;  // "parameter 2", "resource manager"; empty when the code does not say
  std::string text;   // "the value is out of range or does not fit the context"
};

RcText describe_tpm20(std::uint32_t code);
RcText describe_tpm12(std::uint32_t code);

// Chooses the family by the tag of the response the code came in.
RcText describe_response(const proto::TpmHeader& response);

// "TPM_RC_VALUE (0x000002C4), parameter 2: the value is ..."
std::string rc_line(std::uint32_t code, const RcText& rc);

}  // namespace tbs::ctl
