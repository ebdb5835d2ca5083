#include "daemon/rm12/context_commands.h"

#include <algorithm>

#include "daemon/rm12/release.h"
#include "daemon/tpm12/context_blob.h"
#include "proto/tpm12/commands.h"

namespace tbs::rm12 {
namespace {

namespace ord = tpm12::ord;
namespace rc = tpm12::rc;
using exec::VirtualHandle;
using proto::Bytes;

constexpr std::size_t kLabelSize = 16;

}  // namespace

void ContextCommands::reset() {
  saved_ = claimed_ = nullptr;
  wanted_.reset();
}

bool ContextCommands::decide() {
  switch (run_.view.ordinal) {
    case ord::kSaveContext:
      return decide_save();
    case ord::kLoadContext:
      return decide_load();
    case ord::kSaveKeyContext:
      return decide_save_key();
    case ord::kSaveAuthContext:
      return decide_save_auth();
    case ord::kLoadAuthContext:
      return decide_load_auth();
    default:
      return false;
  }
}

bool ContextCommands::limit_reached(Kind kind) {
  const exec::Limits& limits = run_.state.options.limits_of(run_.principal().account);
  const bool key = kind == Kind::Key;
  const std::size_t for_context = key ? limits.objects_per_context : limits.sessions_per_context;
  const std::size_t for_user = key ? limits.objects_per_user : limits.sessions_per_user;
  // One that is loaded again is counted already.
  const std::size_t known = claimed_ != nullptr && claimed_->owner == run_.context ? 1 : 0;
  if (run_.state.table.count(run_.context, key) < for_context + known &&
      run_.state.table.count(run_.principal().account, key) < for_user + known) {
    return false;
  }
  return run_.refuse_run(rc::kResources);
}

bool ContextCommands::decide_save() {
  proto::ByteReader reader(run_.view.parameters);
  const VirtualHandle handle{reader.be32()};
  const std::uint32_t type = reader.be32();
  reader.skip(kLabelSize);
  if (!reader.at_end()) return run_.refuse(rc::kBadParamSize);
  if (!is_kind(type)) return run_.refuse(rc::kInvalidResource);
  saved_ = run_.usable(static_cast<Kind>(type), handle);
  if (saved_ != nullptr) {
    run_.plan.place(run_.view.parameters_offset, *saved_);
    return false;
  }
  return !is_shared_key(run_.state, handle) && run_.refuse(rc::kInvalidResource);
}

bool ContextCommands::decide_save_key() {
  if (!run_.view.parameters.empty()) return run_.refuse(rc::kBadParamSize);
  if (!run_.plan.keys.all().empty()) saved_ = run_.plan.keys.all().front();
  return false;
}

bool ContextCommands::decide_save_auth() {
  proto::ByteReader reader(run_.view.parameters);
  const VirtualHandle handle{reader.be32()};
  if (!reader.at_end()) return run_.refuse(rc::kBadParamSize);
  saved_ = run_.usable(Kind::Auth, handle);
  if (saved_ == nullptr) return run_.refuse(rc::kInvalidAuthHandle);
  run_.plan.place(run_.view.parameters_offset, *saved_);
  return false;
}

bool ContextCommands::decide_load() {
  proto::ByteReader reader(run_.view.parameters);
  const std::uint32_t entity = reader.be32();
  const bool keep = reader.u8() != 0;
  const std::uint32_t size = reader.be32();
  const Bytes blob = reader.take(size);
  if (!reader.at_end()) return run_.refuse(rc::kBadParamSize);
  const auto context = tpm12::parse_context_blob(blob);
  if (!context || !is_kind(context->resource_type)) return run_.refuse(rc::kBadContext);
  if (context->resource_type == static_cast<std::uint32_t>(Kind::Key)) {
    return decide_load_key(blob, keep);
  }
  return decide_load_session(entity, blob, keep);
}

bool ContextCommands::taken(VirtualHandle key) const {
  return run_.state.table.find(run_.context, Kind::Key, key) != nullptr ||
         is_shared_key(run_.state, key) || tpm12::is_reserved(number_of(key));
}

bool ContextCommands::decide_load_key(Bytes blob, bool keep) {
  if (keep) {
    const auto known = run_.state.saved_keys.find(blob);
    const bool own = known && known->context == run_.context;
    wanted_ = own ? known->handle : VirtualHandle{tpm12::parse_context_blob(blob)->handle};
    if (taken(*wanted_)) return run_.refuse(rc::kBadHandle);
  }
  // Which physical handle it gets is the TPM's choice.
  run_.command = tpm12::build::load_context(0, blob);
  run_.view = *tpm12::parse_command(run_.command);
  run_.plan.creates = Kind::Key;
  return false;
}

bool ContextCommands::decide_load_session(std::uint32_t entity, Bytes blob, bool keep) {
  Resource* const session = find_saved(blob, false);
  if (session == nullptr) return run_.refuse(rc::kBadContext);
  if (session->needs_key) {
    Resource* const key = run_.usable(Kind::Key, VirtualHandle{entity});
    if (key == nullptr) return run_.refuse(rc::kBadHandle);
    if (!tpm12::may_be_same(key->identity, session->identity)) {
      return run_.refuse(rc::kResourceMissing);
    }
    session->key = key;
  }
  if (keep) {
    wanted_ = session->handle;
    const Resource* const other = run_.state.table.find(run_.context, session->kind, *wanted_);
    if (other != nullptr && other != session) return run_.refuse(rc::kBadHandle);
  }
  claimed_ = session;
  // Loading it is all that there is to do: the client's own command is never sent.
  run_.plan.need(*session);
  return limit_reached(session->kind);
}

bool ContextCommands::decide_load_auth() {
  const auto blob = tpm12::parse_sized(run_.view.parameters);
  if (!blob) return run_.refuse(rc::kBadParamSize);
  claimed_ = find_saved(*blob, true);
  return claimed_ == nullptr && run_.refuse(rc::kBadContext);
}

// Only what a client of the same user has saved, and in this very form.
Resource* ContextCommands::find_saved(Bytes blob, bool old_style) const {
  const auto all = run_.state.table.all();
  const auto found = std::ranges::find_if(all, [&](const Resource* resource) {
    return resource->saved_by_client() && resource->principal == run_.principal() &&
           resource->old_style == old_style && std::ranges::equal(resource->client_blob, blob);
  });
  return found == all.end() ? nullptr : *found;
}

bool ContextCommands::claim() {
  if (claimed_ == nullptr || run_.view.ordinal != ord::kLoadContext) return false;
  claimed_->client_blob.clear();
  claimed_->last_used = run_.state.next_use();
  run_.state.table.move(*claimed_, run_.context, wanted_.value_or(claimed_->handle));
  run_.reply = tpm12::response_with(number_of(claimed_->handle));
  return true;
}

VirtualHandle ContextCommands::finish_load_auth(exec::PhysicalHandle physical) {
  run_.state.table.set_loaded(*claimed_, physical);
  claimed_->saved.clear();
  claimed_->client_blob.clear();
  claimed_->count = 0;
  claimed_->old_style = false;
  run_.state.table.move(*claimed_, run_.context, claimed_->handle);
  return claimed_->handle;
}

void ContextCommands::finish(const tpm12::ResponseView& response, bool detached) {
  if (saved_ == nullptr) return;
  const auto blob = tpm12::parse_sized(response.parameters);
  if (!blob || blob->empty()) {
    run_.state.check_due = true;
    return;
  }
  if (!saved_->is_key()) return finish_save_session(*saved_, *blob, detached);
  run_.state.saved_keys.remember(*saved_, *blob);
  if (run_.view.ordinal != ord::kSaveKeyContext) return;
  // That has taken it out of the TPM.
  run_.state.table.set_evicted(*saved_);
  release(run_.state, *saved_);
}

void ContextCommands::finish_save_session(Resource& session, Bytes blob, bool detached) {
  const auto context = tpm12::parse_context_blob(blob);
  session.saved.store({blob.begin(), blob.end()});
  session.count = context ? context->count : 0;
  if (context) run_.state.newest_count = context->count;
  session.old_style = run_.view.ordinal == ord::kSaveAuthContext;
  run_.state.table.set_evicted(session);
  session.client_blob = session.saved.context();
  // With nobody there to keep the blob, the session is of no use to anybody.
  if (detached) release(run_.state, session);
}

}  // namespace tbs::rm12
