#include "daemon/rm12/command_results.h"

#include <algorithm>

#include "daemon/rm12/release.h"
#include "daemon/tpm12/context_blob.h"
#include "proto/service_codes.h"

namespace tbs::rm12 {
namespace {

namespace ord = tpm12::ord;
using exec::PhysicalHandle;
using exec::VirtualHandle;

// Part 2, "TPM_KEY_CONTROL".
constexpr std::uint32_t kControlOwnerEvict = 1;

bool returns_handle(const tpm12::CommandView& command) {
  return command.info->creates || command.ordinal == ord::kLoadContext;
}

bool is_complete(const tpm12::CommandView& command, const tpm12::ResponseView& response) {
  return !returns_handle(command) || response.handle();
}

}  // namespace

bool CommandResults::complete(const tpm12::ResponseView& response) const {
  return is_complete(run_.view, response);
}

bool CommandResults::take(const tpm12::ResponseView& response, bool detached) {
  detached_ = detached;
  bool doubtful = run_.view.info->extensive;
  doubtful |= end_sessions(run_.plan.auths, run_.view.auth_count, response);
  if (run_.wrapped) doubtful |= take_wrapped(response);
  contexts_.finish(response, detached);
  if (returns_handle(run_.view)) {
    register_result(run_.view, PhysicalHandle{*response.handle()}, tpm12::kHeaderSize);
  }
  switch (run_.view.ordinal) {
    case ord::kKeyControlOwner:
      note_key_control();
      break;
    case ord::kDaaJoin:
    case ord::kDaaSign:
      register_daa(response);
      break;
    default:
      break;
  }
  return doubtful;
}

bool CommandResults::take_wrapped(const tpm12::ResponseView& response) {
  const tpm12::CommandView& command = *run_.wrapped;
  const auto inner = tpm12::wrapped_response(response);
  const auto view = inner ? tpm12::parse_response(*inner) : std::nullopt;
  if (!view) return true;
  if (!view->success()) return command.auth_count != 0;
  if (!is_complete(command, *view)) return true;
  bool doubtful = command.info->extensive;
  doubtful |= end_sessions(run_.plan.wrapped_auths, command.auth_count, *view);
  if (returns_handle(command)) {
    register_result(command, PhysicalHandle{*view->handle()},
                    tpm12::kWrappedResponseOffset + tpm12::kHeaderSize);
  }
  return doubtful;
}

// Returns whether the response leaves in doubt which of them have ended.
bool CommandResults::end_sessions(Sessions& auths, std::uint8_t count,
                                  const tpm12::ResponseView& response) {
  if (response.auth_count != count) return true;
  for (std::uint8_t i = 0; i < count; ++i) {
    const bool released = run_.view.ordinal == ord::kReleaseTransportSigned &&
                          auths[i] != nullptr && auths[i]->kind == Kind::Transport;
    if (!response.continues[i] || released) end_session(auths[i]);
  }
  return false;
}

// The TPM has ended it.
void CommandResults::end_session(Resource* session) {
  if (session == nullptr) return;
  std::ranges::replace(run_.plan.auths, session, nullptr);
  std::ranges::replace(run_.plan.wrapped_auths, session, nullptr);
  run_.state.table.erase(*session);
}

void CommandResults::register_result(const tpm12::CommandView& command, PhysicalHandle physical,
                                     std::size_t offset) {
  if (command.ordinal == ord::kLoadAuthContext) {
    const VirtualHandle handle = contexts_.finish_load_auth(physical);
    return tpm12::put_be32(run_.reply, offset, number_of(handle));
  }
  if (refuse_duplicate(command, physical)) return;
  Resource& resource = run_.state.table.add(run_.context, run_.plan.creates.value_or(Kind::Key),
                                            physical, wanted_handle(command, physical));
  resource.last_used = run_.state.next_use();
  describe(command, resource);
  tpm12::put_be32(run_.reply, offset, number_of(resource.handle));
  if (detached_) release(run_.state, resource);
}

bool CommandResults::free(VirtualHandle key) const {
  return run_.state.table.find(run_.context, Kind::Key, key) == nullptr &&
         !is_shared_key(run_.state, key) && !tpm12::is_reserved(number_of(key));
}

// The response's HMAC covers the handle of TPM_LoadKey: it has to stay as it is.
std::optional<VirtualHandle> CommandResults::wanted_handle(const tpm12::CommandView& command,
                                                           PhysicalHandle physical) const {
  if (command.ordinal == ord::kLoadKey && free(as_seen_by_client(physical))) {
    return as_seen_by_client(physical);
  }
  if (command.ordinal == ord::kLoadKeyContext) {
    const auto blob = tpm12::parse_sized(command.parameters);
    const auto known = blob ? run_.state.saved_keys.find(*blob) : std::nullopt;
    if (known && known->context == run_.context && free(known->handle)) return known->handle;
  }
  const auto wanted = contexts_.wanted();
  return wanted && free(*wanted) ? wanted : std::nullopt;
}

// Where it cannot stay as it is, the client is asked to try again, as on Windows.
bool CommandResults::refuse_duplicate(const tpm12::CommandView& command, PhysicalHandle physical) {
  if (command.ordinal != ord::kLoadKey || command.auth_count == 0 ||
      wanted_handle(command, physical)) {
    return false;
  }
  release(run_.state, run_.state.table.add(run_.context, Kind::Key, physical));
  run_.reply.clear();
  run_.refuse_run(proto::service::kDuplicateHandle);
  return true;
}

void CommandResults::describe(const tpm12::CommandView& command, Resource& resource) const {
  switch (command.ordinal) {
    case ord::kLoadKey:
    case ord::kLoadKey2:
      // Within a transport session it may be encrypted.
      if (!run_.wrapped) resource.identity = tpm12::identity_of_key(command.parameters);
      return;
    case ord::kLoadContext:
    case ord::kLoadKeyContext:
      return describe_loaded(command, resource);
    case ord::kOsap:
    case ord::kDsap:
      resource.key = run_.plan.entity_key;
      resource.needs_key = resource.key != nullptr;
      resource.entity = run_.plan.entity;
      if (resource.key != nullptr) resource.identity = resource.key->identity;
      return;
    default:
      return;
  }
}

void CommandResults::describe_loaded(const tpm12::CommandView& command, Resource& key) const {
  const bool load_context = command.ordinal == ord::kLoadContext;
  // Behind the entity's handle and keepHandle.
  const std::size_t before = load_context ? tpm12::kHandleSize + 1 : 0;
  const auto blob = tpm12::parse_sized(command.parameters.subspan(before));
  if (!blob) return;
  if (const auto known = run_.state.saved_keys.find(*blob)) key.identity = known->identity;
  if (load_context) key.saved.store({blob->begin(), blob->end()});
}

// Stage 0 returns the handle of the session, in plain and covered by the HMAC.
void CommandResults::register_daa(const tpm12::ResponseView& response) {
  proto::ByteReader command(run_.view.parameters);
  command.skip(tpm12::kHandleSize);
  if (command.u8() != 0) return;
  const auto output = tpm12::parse_sized(response.parameters);
  if (!output || output->size() != tpm12::kHandleSize) return;
  const PhysicalHandle physical{proto::ByteReader(*output).be32()};
  const VirtualHandle handle = as_seen_by_client(physical);
  if (Resource* const old = run_.state.table.find(run_.context, Kind::Daa, handle)) {
    run_.state.table.erase(*old);
  }
  Resource& session = run_.state.table.add(run_.context, Kind::Daa, physical, handle);
  if (detached_) release(run_.state, session);
}

// ..., bitName, bitValue: the owner makes a key permanent, or ordinary again.
void CommandResults::note_key_control() {
  const proto::Bytes parameters = run_.view.parameters;
  proto::ByteReader reader(parameters.last(std::min<std::size_t>(5, parameters.size())));
  if (reader.be32() != kControlOwnerEvict) return;
  const bool permanent = reader.u8() != 0;
  const auto planned = run_.plan.keys.all();
  Resource* const key = planned.empty() ? nullptr : planned.front();
  if (!permanent) return make_ordinary(key);
  if (key == nullptr || key->permanent) return;
  key->permanent = true;
  run_.state.table.permanent_keys.push_back(key->physical);
}

void CommandResults::make_ordinary(Resource* key) {
  // A permanent key that is not the context's own is named as the TPM names it.
  const PhysicalHandle physical =
      key != nullptr ? key->physical : PhysicalHandle{run_.view.keys[0].value};
  if (std::erase(run_.state.table.permanent_keys, physical) == 0) return;
  for (Resource* const resource : run_.state.table.all()) {
    if (resource->permanent && resource->physical == physical) {
      resource->permanent = false;
      key = resource;
    }
  }
  // Nobody's until now: from now on of the context whose owner has released it.
  if (key == nullptr) {
    run_.state.table.add(run_.context, Kind::Key, physical, as_seen_by_client(physical));
  }
}

}  // namespace tbs::rm12
