// Tbsi_Context_Create, Tbsip_Context_Close.

#include "client/boundary.h"
#include "client/contexts.h"

using namespace tbs::client;
using tbs::proto::Status;

TBS_RESULT Tbsi_Context_Create(PCTBS_CONTEXT_PARAMS pContextParams, PTBS_HCONTEXT phContext) {
  return at_boundary([&] { return create_context(pContextParams, {}, phContext); });
}

TBS_RESULT Tbsip_Context_Close(TBS_HCONTEXT hContext) {
  return at_boundary([&] {
    const auto context = remove_context(hContext);
    if (!context) return Status::InvalidContext;
    context->close();
    return Status::Success;
  });
}
