#pragma once

// What a client's command asks of the rules: which command it is, and what it names. A TPM 1.2
// command may carry another inside (TPM_ExecuteTransport), which has facts of its own.

#include <optional>

#include "daemon/command/client_command.h"
#include "daemon/tpm/command_info.h"
#include "proto/rules/rules.h"

namespace tbs::policy {

// Whether facts include what the command names: NV indices, PCRs, persistent handles, hierarchies,
// those that stand among the parameters too. A command inside a transport session may have its
// parameters encrypted: what is found there is a guess, and the facts say so. Who made what the
// command changes is not among them.
enum class Names : std::uint8_t { Omitted, Included };

rules::CommandFacts facts_of(const ClientCommand& command, const tpm::CommandTable& commands,
                             Names names);
// Those of the command inside, where there is one.
std::optional<rules::CommandFacts> embedded_facts_of(const ClientCommand& command, Names names);

}  // namespace tbs::policy
