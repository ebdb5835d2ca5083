#pragma once

// One key or session of a client.

#include <cstdint>

#include "daemon/base/ids.h"
#include "daemon/exec/handles.h"
#include "daemon/exec/saved_state.h"
#include "daemon/tpm12/key_identity.h"
#include "proto/byte_writer.h"
#include "proto/tpm12/constants.h"

namespace tbs::rm12 {

using tpm12::Kind;

// Whether a number in a command or blob is one of them.
constexpr bool is_kind(std::uint32_t resource_type) {
  return resource_type == 1 || resource_type == 2 || resource_type == 4 || resource_type == 8;
}

// In a record.
template <typename Record>
void record_kind(Record& record, Kind& kind) {
  record(kind);
  if constexpr (Record::kReads) {
    record.require(is_kind(static_cast<std::uint32_t>(kind)), "a kind of resource is unknown");
  }
}

// What a client calls something that has the TPM's own handle: permanent keys, and what a handle in
// a response stands for that an HMAC covers.
constexpr exec::VirtualHandle as_seen_by_client(exec::PhysicalHandle handle) {
  return exec::VirtualHandle{number_of(handle)};
}

struct Resource {
  Kind kind = Kind::Key;
  ContextId owner{};
  Principal principal{};
  // What the client calls it.
  exec::VirtualHandle handle{};
  bool loaded = true;
  // What the TPM calls it while it is loaded.
  exec::PhysicalHandle physical{};
  // With the TPM_CONTEXT_BLOB that loads it. A key does not change, so its blob is good for ever. A
  // session's blob is good once.
  exec::SavedState saved{kind != Kind::Key};
  // Where `saved` stands in the TPM's list of saved sessions.
  std::uint32_t count = 0;
  std::uint64_t last_used = 0;

  // Of a key, and of the key that a session is bound to.
  tpm12::KeyIdentity identity = tpm12::kUnknownKey;

  // A key that the owner has made permanent: it can neither be saved nor flushed, and everybody may
  // use it by its physical handle.
  bool permanent = false;

  // An OSAP or DSAP session of a key cannot be loaded without that key, and ends when the TPM
  // flushes the key. `key` is null while the client counts the session as saved and has no such
  // key.
  bool needs_key = false;
  Resource* key = nullptr;
  // What TPM_LoadContext is told where it is no key: the counter, the NV index, ...
  std::uint32_t entity = 0;

  // While the client counts the session as saved: the blob that it was given. `saved` may be newer.
  proto::Buffer client_blob;
  // It was saved by TPM_SaveAuthContext, and can be loaded by TPM_LoadAuthContext alone.
  bool old_style = false;

  [[nodiscard]] bool is_key() const { return kind == Kind::Key; }
  [[nodiscard]] bool saved_by_client() const { return !client_blob.empty(); }
  // Nothing can bring it back.
  [[nodiscard]] bool lost() const { return !loaded && !saved.current(); }
  // A DAA session's handle is part of what is covered by HMACs and ciphers, so it stays as it is.
  [[nodiscard]] bool evictable() const {
    return loaded && !permanent && kind != Kind::Daa && (!needs_key || key != nullptr);
  }

  // All but whose it is, and the key.
  template <typename Record>
  void fields(Record& record) {
    record_kind(record, kind);
    if constexpr (Record::kReads) saved = exec::SavedState(kind != Kind::Key);
    record(handle, loaded, physical, saved, count, last_used, identity, permanent, needs_key,
           entity, client_blob, old_style);
  }
};

}  // namespace tbs::rm12
