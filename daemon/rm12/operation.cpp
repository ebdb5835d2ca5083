#include "daemon/rm12/operation.h"

#include "daemon/rm12/release.h"
#include "daemon/tpm12/context_blob.h"
#include "daemon/tpm12/response_code.h"
#include "proto/tpm12/commands.h"

namespace tbs::rm12 {
namespace {

namespace rc = tpm12::rc;
using tpm12::Remedy;

std::uint32_t entity_of(const Resource& resource) {
  return resource.key != nullptr ? number_of(resource.key->physical) : resource.entity;
}

bool saved(State& state, Resource& resource, proto::Bytes parameters) {
  const auto blob = tpm12::parse_sized(parameters);
  if (!blob || blob->empty()) return false;
  const auto context = tpm12::parse_context_blob(*blob);
  if (!context && !resource.is_key()) return false;
  resource.saved.store({blob->begin(), blob->end()});
  if (resource.is_key()) {
    ++state.statistics.object_saves;
    return true;
  }
  resource.count = context->count;
  state.newest_count = context->count;
  state.table.set_evicted(resource);
  ++state.statistics.session_saves;
  return true;
}

bool loaded(State& state, Resource& resource, exec::PhysicalHandle physical) {
  state.table.set_loaded(resource, physical);
  if (resource.is_key()) {
    ++state.statistics.object_loads;
    return true;
  }
  resource.saved.clear();
  resource.count = 0;
  ++state.statistics.session_loads;
  return true;
}

// A failed load says nothing about the blob when the TPM had no room or was not ready for it.
bool load_is_hopeless(std::uint32_t code) {
  switch (tpm12::remedy_of(code)) {
    case Remedy::None:
      return code == rc::kBadContext || code == rc::kResourceMissing || code == rc::kBadParameter;
    case Remedy::CheckTables:
      return true;
    default:
      return false;
  }
}

bool is_missing(std::uint32_t code) {
  return tpm12::remedy_of(code) == Remedy::CheckTables || code == rc::kBadParameter;
}

// The daemon did not know that it is one: somebody else made it so.
void make_permanent(State& state, exec::PhysicalHandle physical) {
  state.table.permanent_keys.push_back(physical);
}

void forget_stray(State& state, const Operation& operation, std::uint32_t code) {
  std::erase(state.strays, operation.stray);
  if (operation.stray.kind == Kind::Key && !operation.stray.saved && code == rc::kKeyOwnerControl) {
    make_permanent(state, operation.stray.handle);
  }
}

bool key_is_permanent(State& state, Resource& key, std::uint32_t code) {
  if (!key.is_key() || (code != rc::kKeyOwnerControl && code != rc::kOwnerControl)) return false;
  key.permanent = true;
  make_permanent(state, key.physical);
  return true;
}

}  // namespace

proto::Buffer command_of(const Operation& operation) {
  switch (operation.verb) {
    case Verb::Load:
      return tpm12::build::load_context(entity_of(*operation.resource),
                                        operation.resource->saved.context());
    case Verb::Save:
      return tpm12::build::save_context(operation.resource->kind,
                                        number_of(operation.resource->physical));
    case Verb::Flush:
      return tpm12::build::flush_specific(number_of(operation.resource->physical),
                                          static_cast<std::uint32_t>(Kind::Key));
    case Verb::FlushStray:
      break;
  }
  const Stray& stray = operation.stray;
  if (stray.saved) return tpm12::build::flush_specific(stray.count, tpm12::kResourceContext);
  return tpm12::build::flush_specific(number_of(stray.handle),
                                      static_cast<std::uint32_t>(stray.kind));
}

bool apply(State& state, const Operation& operation, const tpm12::ResponseView& response) {
  switch (operation.verb) {
    case Verb::Load:
      return response.parameters.size() == tpm12::kHandleSize &&
             loaded(state, *operation.resource, exec::PhysicalHandle{*response.handle()});
    case Verb::Save:
      return saved(state, *operation.resource, response.parameters);
    case Verb::Flush:
      state.table.set_evicted(*operation.resource);
      ++state.statistics.object_flushes;
      return true;
    case Verb::FlushStray:
      forget_stray(state, operation, rc::kSuccess);
      return true;
  }
  return false;
}

bool apply_failure(State& state, const Operation& operation, std::uint32_t code) {
  if (operation.verb == Verb::FlushStray) {
    forget_stray(state, operation, code);
    return true;
  }
  Resource& resource = *operation.resource;
  if (operation.verb == Verb::Load) {
    if (!load_is_hopeless(code)) return false;
    // Somebody may have reset the TPM: the others will not be there either.
    if (!resource.is_key()) state.check_due = true;
    lose(state, resource, code);
    return true;
  }
  if (key_is_permanent(state, resource, code)) return true;
  if (!is_missing(code)) return false;
  state.table.set_evicted(resource);
  if (resource.lost()) lose(state, resource, code);
  return true;
}

}  // namespace tbs::rm12
