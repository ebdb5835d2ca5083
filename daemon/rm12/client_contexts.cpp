// TPM_SaveContext, TPM_LoadContext and TPM_FlushSpecific of clients, and the older commands that
// these have replaced. A key's context can be loaded by any client, as on a TPM. A session's can be
// loaded by the same user alone, with the very blob that the client was given.

#include <algorithm>

#include "daemon/rm12/client_execution.h"
#include "daemon/rm12/release.h"
#include "daemon/tpm12/context_blob.h"
#include "proto/tpm12/commands.h"

namespace tbs::rm12 {
namespace {

namespace ord = tpm12::ord;
namespace rc = tpm12::rc;
using proto::Bytes;

constexpr std::size_t kLabelSize = 16;

bool is_kind(std::uint32_t resource_type) {
  return resource_type == 1 || resource_type == 2 || resource_type == 4 || resource_type == 8;
}

}  // namespace

bool ClientExecution::decide_context_command() {
  switch (view_.ordinal) {
    case ord::kSaveContext:
      return decide_save();
    case ord::kLoadContext:
      return decide_load();
    case ord::kFlushSpecific:
      return decide_flush();
    case ord::kEvictKey:
      return decide_evict_key();
    case ord::kTerminateHandle:
      return decide_terminate();
    case ord::kSaveKeyContext:
      if (!view_.parameters.empty()) return refuse(rc::kBadParamSize);
      if (!plan_.keys.all().empty()) saved_ = plan_.keys.all().front();
      return false;
    case ord::kSaveAuthContext:
      return decide_save_auth();
    case ord::kLoadAuthContext:
      return decide_load_auth();
    default:
      return false;
  }
}

bool ClientExecution::decide_save() {
  proto::ByteReader reader(view_.parameters);
  const std::uint32_t handle = reader.be32();
  const std::uint32_t type = reader.be32();
  reader.skip(kLabelSize);
  if (!reader.at_end()) return refuse(rc::kBadParamSize);
  if (!is_kind(type)) return refuse(rc::kInvalidResource);
  saved_ = usable(state_, context_, static_cast<Kind>(type), handle);
  if (saved_ != nullptr) {
    plan_.place(view_.parameters_offset, *saved_);
    return false;
  }
  return !is_shared_key(state_, handle) && refuse(rc::kInvalidResource);
}

bool ClientExecution::decide_load() {
  proto::ByteReader reader(view_.parameters);
  const std::uint32_t entity = reader.be32();
  const bool keep = reader.u8() != 0;
  const std::uint32_t size = reader.be32();
  const Bytes blob = reader.take(size);
  if (!reader.at_end()) return refuse(rc::kBadParamSize);
  const auto context = tpm12::parse_context_blob(blob);
  if (!context || !is_kind(context->resource_type)) return refuse(rc::kBadContext);
  if (context->resource_type == static_cast<std::uint32_t>(Kind::Key)) {
    return decide_load_key(blob, keep);
  }
  return decide_load_session(entity, blob, keep);
}

bool ClientExecution::decide_load_key(Bytes blob, bool keep) {
  if (keep) {
    const auto known = state_.saved_keys.find(blob);
    const bool own = known && known->context == context_;
    wanted_ = own ? known->handle : tpm12::parse_context_blob(blob)->handle;
    if (state_.table.find(context_, Kind::Key, *wanted_) != nullptr ||
        is_shared_key(state_, *wanted_) || tpm12::is_reserved(*wanted_)) {
      return refuse(rc::kBadHandle);
    }
  }
  // Which physical handle it gets is the TPM's choice.
  command_ = tpm12::build::load_context(0, blob);
  view_ = *tpm12::parse_command(command_);
  plan_.creates = Kind::Key;
  return false;
}

bool ClientExecution::decide_load_session(std::uint32_t entity, Bytes blob, bool keep) {
  Resource* const session = find_saved(blob, false);
  if (session == nullptr) return refuse(rc::kBadContext);
  if (session->needs_key) {
    Resource* const key = usable(state_, context_, Kind::Key, entity);
    if (key == nullptr) return refuse(rc::kBadHandle);
    if (!tpm12::may_be_same(key->identity, session->identity)) return refuse(rc::kResourceMissing);
    session->key = key;
  }
  if (keep) {
    wanted_ = session->handle;
    Resource* const other = state_.table.find(context_, session->kind, *wanted_);
    if (other != nullptr && other != session) return refuse(rc::kBadHandle);
  }
  claimed_ = session;
  // Loading it is all that there is to do: the client's own command is never sent.
  plan_.need(*session);
  return decide_create(session->kind);
}

// Only what a client of the same user has saved, and in this very form.
Resource* ClientExecution::find_saved(Bytes blob, bool old_style) const {
  const auto all = state_.table.all();
  const auto found = std::ranges::find_if(all, [&](const Resource* resource) {
    return resource->saved_by_client() && resource->user == user() &&
           resource->old_style == old_style && std::ranges::equal(resource->client_blob, blob);
  });
  return found == all.end() ? nullptr : *found;
}

bool ClientExecution::claim() {
  if (claimed_ == nullptr || view_.ordinal != ord::kLoadContext) return false;
  claimed_->client_blob.clear();
  claimed_->last_used = state_.next_use();
  state_.table.move(*claimed_, context_, wanted_.value_or(claimed_->handle));
  reply_ = tpm12::response_with(claimed_->handle);
  return true;
}

bool ClientExecution::decide_flush() {
  proto::ByteReader reader(view_.parameters);
  const std::uint32_t handle = reader.be32();
  const std::uint32_t type = reader.be32();
  if (!reader.at_end()) return refuse(rc::kBadParamSize);
  if (type == tpm12::kResourceContext) return decide_flush_saved(handle);
  if (!is_kind(type)) return refuse(rc::kInvalidResource);
  const Kind kind = static_cast<Kind>(type);
  if (kind == Kind::Key && is_shared_key(state_, handle)) return refuse(rc::kKeyOwnerControl);
  return flush_now(state_.table.find(context_, kind, handle),
                   kind == Kind::Key ? rc::kBadParameter : rc::kInvalidAuthHandle);
}

// The TPM flushes it before the next command.
bool ClientExecution::flush_now(Resource* resource, std::uint32_t code_if_missing) {
  if (resource == nullptr || resource->saved_by_client()) return refuse(code_if_missing);
  if (resource->permanent) return refuse(rc::kKeyOwnerControl);
  release(state_, *resource);
  return reply_from_memory(tpm12::bare_response(rc::kSuccess));
}

bool ClientExecution::decide_flush_saved(std::uint32_t count) {
  for (Resource* const resource : state_.table.of(context_)) {
    const auto blob = tpm12::parse_context_blob(resource->client_blob);
    if (!blob || blob->count != count) continue;
    release(state_, *resource);
    return reply_from_memory(tpm12::bare_response(rc::kSuccess));
  }
  return refuse(rc::kBadParameter);
}

bool ClientExecution::decide_evict_key() {
  if (!view_.parameters.empty()) return refuse(rc::kBadParamSize);
  if (is_shared_key(state_, view_.keys[0].value)) return refuse(rc::kKeyOwnerControl);
  return flush_now(state_.table.find(context_, Kind::Key, view_.keys[0].value),
                   rc::kInvalidKeyHandle);
}

bool ClientExecution::decide_terminate() {
  proto::ByteReader reader(view_.parameters);
  const std::uint32_t handle = reader.be32();
  if (!reader.at_end()) return refuse(rc::kBadParamSize);
  return flush_now(state_.table.find(context_, Kind::Auth, handle), rc::kInvalidAuthHandle);
}

bool ClientExecution::decide_save_auth() {
  proto::ByteReader reader(view_.parameters);
  const std::uint32_t handle = reader.be32();
  if (!reader.at_end()) return refuse(rc::kBadParamSize);
  saved_ = usable(state_, context_, Kind::Auth, handle);
  if (saved_ == nullptr) return refuse(rc::kInvalidAuthHandle);
  plan_.place(view_.parameters_offset, *saved_);
  return false;
}

bool ClientExecution::decide_load_auth() {
  const auto blob = tpm12::parse_sized(view_.parameters);
  if (!blob) return refuse(rc::kBadParamSize);
  claimed_ = find_saved(*blob, true);
  return claimed_ == nullptr && refuse(rc::kBadContext);
}

void ClientExecution::finish_context_command(const tpm12::ResponseView& response) {
  if (saved_ == nullptr) return;
  const auto blob = tpm12::parse_sized(response.parameters);
  if (!blob || blob->empty()) {
    state_.check_due = true;
    return;
  }
  if (!saved_->is_key()) return finish_save_session(*saved_, *blob);
  state_.saved_keys.remember(*saved_, *blob);
  if (view_.ordinal != ord::kSaveKeyContext) return;
  // That has taken it out of the TPM.
  state_.table.set_evicted(*saved_);
  release(state_, *saved_);
}

void ClientExecution::finish_save_session(Resource& session, Bytes blob) {
  const auto context = tpm12::parse_context_blob(blob);
  session.saved.store({blob.begin(), blob.end()});
  session.count = context ? context->count : 0;
  if (context) state_.newest_count = context->count;
  session.old_style = view_.ordinal == ord::kSaveAuthContext;
  state_.table.set_evicted(session);
  // With nobody there to keep the blob, the session is of no use to anybody.
  session.client_blob = session.saved.context();
  if (detached()) release(state_, session);
}

}  // namespace tbs::rm12
