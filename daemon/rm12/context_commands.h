#pragma once

// TPM_SaveContext and TPM_LoadContext of clients, and the older commands that these have replaced.
// A key's context can be loaded by any client, as on a TPM. A session's can be loaded by the same
// user alone, with the very blob that the client was given.

#include <cstdint>
#include <optional>

#include "daemon/rm12/command_run.h"
#include "daemon/tpm12/response.h"

namespace tbs::rm12 {

class ContextCommands {
 public:
  explicit ContextCommands(CommandRun& run) : run_(run) {}

  // Forgets what an earlier look at the command has found.
  void reset();
  // True when the reply is ready without the TPM.
  bool decide();
  // Whether one more of this kind would be too many for the context or its user; then the refusal
  // is ready.
  bool limit_reached(Kind kind);

  // What TPM_LoadContext was about is loaded: it belongs to this context from now on. True when
  // that was so, and the reply is ready.
  bool claim();
  // The handle that the loaded key or session should get.
  [[nodiscard]] std::optional<exec::VirtualHandle> wanted() const { return wanted_; }

  // The command has run. `detached`: nobody gets the blob.
  void finish(const tpm12::ResponseView& response, bool detached);
  // TPM_LoadAuthContext has run: what it has loaded belongs to this context from now on. Returns
  // the session's handle.
  exec::VirtualHandle finish_load_auth(exec::PhysicalHandle physical);

 private:
  bool decide_save();
  bool decide_save_key();
  bool decide_save_auth();
  bool decide_load();
  bool decide_load_key(proto::Bytes blob, bool keep);
  bool decide_load_session(std::uint32_t entity, proto::Bytes blob, bool keep);
  bool decide_load_auth();
  [[nodiscard]] bool taken(exec::VirtualHandle key) const;
  [[nodiscard]] Resource* find_saved(proto::Bytes blob, bool old_style) const;
  void finish_save_session(Resource& session, proto::Bytes blob, bool detached);

  CommandRun& run_;
  // What is saved.
  Resource* saved_ = nullptr;
  // The session that is handed to this context.
  Resource* claimed_ = nullptr;
  std::optional<exec::VirtualHandle> wanted_;
};

}  // namespace tbs::rm12
