#include "daemon/rm12/flush_commands.h"

#include "daemon/rm12/release.h"
#include "daemon/tpm12/context_blob.h"
#include "daemon/tpm12/response.h"

namespace tbs::rm12 {
namespace {

namespace rc = tpm12::rc;
using exec::VirtualHandle;

bool flush_now(CommandRun& run, Resource* resource, std::uint32_t code_if_missing) {
  if (resource == nullptr || resource->saved_by_client()) return run.refuse(code_if_missing);
  if (resource->permanent) return run.refuse(rc::kKeyOwnerControl);
  release(run.state, *resource);
  return run.reply_from_memory(tpm12::bare_response(rc::kSuccess));
}

// `count` is that of the blob which the client was given.
bool flush_saved(CommandRun& run, std::uint32_t count) {
  for (Resource* const resource : run.state.table.of(run.context)) {
    const auto blob = tpm12::parse_context_blob(resource->client_blob);
    if (!blob || blob->count != count) continue;
    release(run.state, *resource);
    return run.reply_from_memory(tpm12::bare_response(rc::kSuccess));
  }
  return run.refuse(rc::kBadParameter);
}

}  // namespace

bool decide_flush_specific(CommandRun& run) {
  proto::ByteReader reader(run.view.parameters);
  const std::uint32_t number = reader.be32();
  const std::uint32_t type = reader.be32();
  if (!reader.at_end()) return run.refuse(rc::kBadParamSize);
  if (type == tpm12::kResourceContext) return flush_saved(run, number);
  if (!is_kind(type)) return run.refuse(rc::kInvalidResource);
  const Kind kind = static_cast<Kind>(type);
  const VirtualHandle handle{number};
  if (kind == Kind::Key && is_shared_key(run.state, handle)) {
    return run.refuse(rc::kKeyOwnerControl);
  }
  return flush_now(run, run.state.table.find(run.context, kind, handle),
                   kind == Kind::Key ? rc::kBadParameter : rc::kInvalidAuthHandle);
}

bool decide_evict_key(CommandRun& run) {
  if (!run.view.parameters.empty()) return run.refuse(rc::kBadParamSize);
  const VirtualHandle handle{run.view.keys[0].value};
  if (is_shared_key(run.state, handle)) return run.refuse(rc::kKeyOwnerControl);
  return flush_now(run, run.state.table.find(run.context, Kind::Key, handle),
                   rc::kInvalidKeyHandle);
}

bool decide_terminate_handle(CommandRun& run) {
  proto::ByteReader reader(run.view.parameters);
  const VirtualHandle handle{reader.be32()};
  if (!reader.at_end()) return run.refuse(rc::kBadParamSize);
  return flush_now(run, run.state.table.find(run.context, Kind::Auth, handle),
                   rc::kInvalidAuthHandle);
}

}  // namespace tbs::rm12
