#pragma once

// The contexts of this process, by handle. A context stays alive while a thread uses it, also when
// another closes it meanwhile.

#include <expected>
#include <memory>

#include "client/context.h"
#include "client/include/tbs/tbs.h"

namespace tbs::client {

// A handle for the context; null when the process has too many.
TBS_HCONTEXT add_context(std::shared_ptr<Context> context);
// The context of a handle; null when it is no live context of this process.
std::shared_ptr<Context> find_context(TBS_HCONTEXT handle);
// The same, and the handle is dead.
std::shared_ptr<Context> remove_context(TBS_HCONTEXT handle);

// What Tbsi_Context_Create does; `path` is the caller's choice of a socket, or empty.
proto::Status create_context(PCTBS_CONTEXT_PARAMS parameters, std::string_view path,
                             PTBS_HCONTEXT handle);

}  // namespace tbs::client
