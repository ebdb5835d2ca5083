// Tbsip_Submit_Command, Tbsip_Cancel_Commands.

#include "client/boundary.h"
#include "client/command_check.h"
#include "client/contexts.h"

using namespace tbs::client;
using tbs::proto::Status;

TBS_RESULT Tbsip_Submit_Command(TBS_HCONTEXT hContext, TBS_COMMAND_LOCALITY Locality,
                                TBS_COMMAND_PRIORITY Priority, PCBYTE pabCommand, UINT32 cbCommand,
                                PBYTE pabResult, PUINT32 pcbResult) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    if (!context) return Status::InvalidContext;
    const Command command{Locality, Priority, {pabCommand, cbCommand}};
    const bool outputs_given = pabResult != nullptr && pcbResult != nullptr;
    const Status fault = check_command(command.bytes, outputs_given, outputs_given ? *pcbResult : 0,
                                       context->terms());
    if (fault != Status::Success) return fault;
    std::size_t size = 0;
    // check_command() has refused null pointers.
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
    const Status result = context->submit(command, {pabResult, *pcbResult}, size);
    if (result == Status::Success || result == Status::InsufficientBuffer) {
      *pcbResult = static_cast<UINT32>(size);
    }
    return result;
  });
}

TBS_RESULT Tbsip_Cancel_Commands(TBS_HCONTEXT hContext) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    return context ? context->cancel() : Status::InvalidContext;
  });
}
