// Tbsip_Submit_Command, Tbsip_Cancel_Commands.

#include "client/boundary.h"
#include "client/contexts.h"
#include "client/submission.h"

using namespace tbs::client;
using tbs::proto::Status;

TBS_RESULT Tbsip_Submit_Command(TBS_HCONTEXT hContext, TBS_COMMAND_LOCALITY Locality,
                                TBS_COMMAND_PRIORITY Priority, PCBYTE pabCommand, UINT32 cbCommand,
                                PBYTE pabResult, PUINT32 pcbResult) {
  return at_boundary([&] {
    return submit_checked(hContext, {Locality, Priority, {pabCommand, cbCommand}}, pabResult,
                          pcbResult,
                          [](Context& context, const Command& command, auto room, auto& size) {
                            return context.submit(command, room, size);
                          });
  });
}

TBS_RESULT Tbsip_Cancel_Commands(TBS_HCONTEXT hContext) {
  return at_boundary([&] {
    const auto context = find_context(hContext);
    return context ? context->cancel() : Status::InvalidContext;
  });
}
