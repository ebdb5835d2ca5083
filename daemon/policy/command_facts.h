#pragma once

// What a client's command asks of the rules: which command it is, and what it names. A TPM 1.2
// command may carry another inside (TPM_ExecuteTransport), which has facts of its own.

#include <cstdint>
#include <optional>

#include "daemon/policy/rules.h"
#include "daemon/tpm/command_info.h"
#include "proto/byte_reader.h"

namespace tbs::policy {

// Handles, and for NV_DefineSpace and EvictControl the new one.
void collect_handles(proto::Bytes command, const tpm::CommandTable& commands, CommandFacts& facts);
// The same of a TPM 1.2 command: NV indices and PCRs. Nothing where transport encryption hides
// them.
void note_handles12(proto::Bytes command, CommandFacts& facts);

// The command inside a TPM 1.2 command.
std::optional<proto::Bytes> embedded_command(proto::Bytes command);

// The code of a command; of the command inside, where it carries one.
std::uint32_t effective_code(proto::Bytes command, std::uint32_t tpm_version);

// What the TPM answered to the command inside; the response code of the outer one, where that one
// failed and the other never ran.
std::uint32_t embedded_result(proto::Bytes response);

}  // namespace tbs::policy
