// After the TPM has run a client's command: what it made is registered, what it ended is dropped,
// and the response gets the client's own handles.

#include <algorithm>

#include "daemon/rm12/client_execution.h"
#include "daemon/rm12/release.h"
#include "daemon/tpm12/context_blob.h"
#include "proto/service_codes.h"

namespace tbs::rm12 {
namespace {

namespace ord = tpm12::ord;
namespace rc = tpm12::rc;
using exec::Step;
using proto::Bytes;

// Part 2, "TPM_KEY_CONTROL".
constexpr std::uint32_t kControlOwnerEvict = 1;

bool returns_handle(const tpm12::CommandView& command) {
  return command.info->creates || command.ordinal == ord::kLoadContext;
}

}  // namespace

Step ClientExecution::finish(Bytes response, std::uint32_t code) {
  if (code != rc::kSuccess) return repair(response, code);
  const auto view = tpm12::parse_response(response);
  if (!view || (returns_handle(view_) && !view->handle())) {
    state_.check_due = true;
    return done(proto::Status::IoError);
  }
  reply_.assign(response.begin(), response.end());
  phase_ = Phase::After;
  finish_success(*view);
  return next();
}

void ClientExecution::finish_success(const tpm12::ResponseView& response) {
  if (view_.info->extensive) look_again(TpmProbe::Reason::Check, false);
  end_sessions(plan_.auths, view_.auth_count, response);
  if (wrapped_) finish_wrapped(response);
  finish_context_command(response);
  if (returns_handle(view_)) register_result(view_, *response.handle(), tpm12::kHeaderSize);
  switch (view_.ordinal) {
    case ord::kKeyControlOwner:
      return note_key_control();
    case ord::kDaaJoin:
    case ord::kDaaSign:
      return register_daa(response);
    default:
      return;
  }
}

void ClientExecution::finish_wrapped(const tpm12::ResponseView& response) {
  const auto inner = tpm12::wrapped_response(response);
  const auto view = inner ? tpm12::parse_response(*inner) : std::nullopt;
  if (!view || (view->success() && returns_handle(*wrapped_) && !view->handle())) {
    look_again(TpmProbe::Reason::Check, false);
    return;
  }
  if (!view->success()) {
    if (wrapped_->auth_count != 0) look_again(TpmProbe::Reason::Check, false);
    return;
  }
  end_sessions(plan_.wrapped_auths, wrapped_->auth_count, *view);
  if (wrapped_->info->extensive) look_again(TpmProbe::Reason::Check, false);
  if (!returns_handle(*wrapped_)) return;
  register_result(*wrapped_, *view->handle(), tpm12::kWrappedResponseOffset + tpm12::kHeaderSize);
}

void ClientExecution::end_sessions(std::array<Resource*, tpm12::kMaxAuths>& auths,
                                   std::uint8_t count, const tpm12::ResponseView& response) {
  if (response.auth_count != count) {
    look_again(TpmProbe::Reason::Check, false);
    return;
  }
  for (std::uint8_t i = 0; i < count; ++i) {
    const bool released = view_.ordinal == ord::kReleaseTransportSigned && auths[i] != nullptr &&
                          auths[i]->kind == Kind::Transport;
    if (!response.continues[i] || released) end_session(auths[i]);
  }
}

// The TPM has ended it.
void ClientExecution::end_session(Resource* session) {
  if (session == nullptr) return;
  std::ranges::replace(plan_.auths, session, nullptr);
  std::ranges::replace(plan_.wrapped_auths, session, nullptr);
  state_.table.erase(*session);
}

void ClientExecution::register_result(const tpm12::CommandView& command, std::uint32_t physical,
                                      std::size_t offset) {
  if (command.ordinal == ord::kLoadAuthContext) {
    state_.table.set_loaded(*claimed_, physical);
    claimed_->saved.clear();
    claimed_->client_blob.clear();
    claimed_->count = 0;
    claimed_->old_style = false;
    state_.table.move(*claimed_, context_, claimed_->handle);
    return tpm12::put_be32(reply_, offset, claimed_->handle);
  }
  if (refuse_duplicate(command, physical)) return;
  Resource& resource = state_.table.add(context_, plan_.creates.value_or(Kind::Key), physical,
                                        wanted_handle(command, physical));
  resource.last_used = state_.next_use();
  describe(command, resource);
  tpm12::put_be32(reply_, offset, resource.handle);
  if (detached()) release(state_, resource);
}

// The response's HMAC covers the handle of TPM_LoadKey: it has to stay as it is.
std::optional<std::uint32_t> ClientExecution::wanted_handle(const tpm12::CommandView& command,
                                                            std::uint32_t physical) const {
  const auto free = [this](std::uint32_t handle) {
    return state_.table.find(context_, Kind::Key, handle) == nullptr &&
           !is_shared_key(state_, handle) && !tpm12::is_reserved(handle);
  };
  if (command.ordinal == ord::kLoadKey && free(physical)) return physical;
  if (command.ordinal == ord::kLoadKeyContext) {
    const auto blob = tpm12::parse_sized(command.parameters);
    const auto known = blob ? state_.saved_keys.find(*blob) : std::nullopt;
    if (known && known->context == context_ && free(known->handle)) return known->handle;
  }
  return wanted_ && free(*wanted_) ? wanted_ : std::nullopt;
}

// Where it cannot stay as it is, the client is asked to try again, as on Windows.
bool ClientExecution::refuse_duplicate(const tpm12::CommandView& command, std::uint32_t physical) {
  if (command.ordinal != ord::kLoadKey || command.auth_count == 0 ||
      wanted_handle(command, physical)) {
    return false;
  }
  release(state_, state_.table.add(context_, Kind::Key, physical));
  reply_.clear();
  refuse_run(proto::service::kDuplicateHandle);
  return true;
}

void ClientExecution::describe(const tpm12::CommandView& command, Resource& resource) const {
  switch (command.ordinal) {
    case ord::kLoadKey:
    case ord::kLoadKey2:
      // Within a transport session it may be encrypted.
      if (!wrapped_) resource.identity = tpm12::identity_of_key(command.parameters);
      return;
    case ord::kLoadContext:
    case ord::kLoadKeyContext: {
      const std::size_t before = command.ordinal == ord::kLoadContext ? 5 : 0;
      const auto blob = tpm12::parse_sized(command.parameters.subspan(before));
      const auto known = blob ? state_.saved_keys.find(*blob) : std::nullopt;
      if (known) resource.identity = known->identity;
      if (blob && command.ordinal == ord::kLoadContext) {
        resource.saved.store({blob->begin(), blob->end()});
      }
      return;
    }
    case ord::kOsap:
    case ord::kDsap:
      resource.key = plan_.entity_key;
      resource.needs_key = resource.key != nullptr;
      resource.entity = plan_.entity;
      if (resource.key != nullptr) resource.identity = resource.key->identity;
      return;
    default:
      return;
  }
}

// Stage 0 returns the handle of the session, in plain and covered by the HMAC.
void ClientExecution::register_daa(const tpm12::ResponseView& response) {
  proto::ByteReader command(view_.parameters);
  command.skip(tpm12::kHandleSize);
  if (command.u8() != 0) return;
  const auto output = tpm12::parse_sized(response.parameters);
  if (!output || output->size() != tpm12::kHandleSize) return;
  const std::uint32_t handle = proto::ByteReader(*output).be32();
  if (Resource* const old = state_.table.find(context_, Kind::Daa, handle)) {
    state_.table.erase(*old);
  }
  Resource& session = state_.table.add(context_, Kind::Daa, handle, handle);
  if (detached()) release(state_, session);
}

// ..., bitName, bitValue: the owner makes a key permanent, or ordinary again.
void ClientExecution::note_key_control() {
  proto::ByteReader reader(
      view_.parameters.last(std::min<std::size_t>(5, view_.parameters.size())));
  if (reader.be32() != kControlOwnerEvict) return;
  const bool permanent = reader.u8() != 0;
  const auto planned = plan_.keys.all();
  Resource* key = planned.empty() ? nullptr : planned.front();
  auto& shared = state_.table.permanent_keys;
  if (permanent) {
    if (key == nullptr || key->permanent) return;
    key->permanent = true;
    shared.push_back(key->physical);
    return;
  }
  const std::uint32_t physical = key != nullptr ? key->physical : view_.keys[0].value;
  if (std::erase(shared, physical) == 0) return;
  for (Resource* const resource : state_.table.all()) {
    if (resource->permanent && resource->physical == physical) {
      resource->permanent = false;
      key = resource;
    }
  }
  // Nobody's until now: from now on of the context whose owner has released it.
  if (key == nullptr) state_.table.add(context_, Kind::Key, physical, physical);
}

}  // namespace tbs::rm12
