#pragma once

// FlushContext, ContextSave and ContextLoad of clients (TPM 2.0 Library, Part 3, "Context
// Management"). Objects behave as on a TPM: any context may load a saved object. A saved session
// can be loaded by its user alone, with the very blob that the client was given; the daemon
// exchanges it for the current one.

#include <cstdint>
#include <span>

#include "daemon/rm/command_run.h"
#include "daemon/tpm/response_view.h"

namespace tbs::rm {

class ContextCommands {
 public:
  explicit ContextCommands(CommandRun& run) : run_(run) {}

  // Forgets what an earlier look at the command has found.
  void reset();

  // Each returns true when the reply is ready without the TPM.
  bool decide_flush();
  bool decide_save();
  bool decide_load();
  // Whether the context may have one more object; else the refusal is ready.
  bool object_limit_reached();

  // Writes the handle that FlushContext is about, which is a parameter.
  void put_flushed(std::span<std::uint8_t> command) const;
  // What ContextLoad was about is loaded: it belongs to this context from now on. True when that
  // was so, and the reply is ready.
  bool claim_loaded_session();

  // FlushContext has run, or the TPM did not know what it was about.
  void finish_flush();
  // ContextSave has run. `detached`: nobody gets the blob.
  void finish_save(const tpm::ResponseView& response, bool detached);

 private:
  [[nodiscard]] bool has_lost_connections() const;
  bool flush_object(exec::VirtualHandle handle);
  bool flush_session(exec::PhysicalHandle handle);
  bool load_session(const proto::Bytes& blob, exec::PhysicalHandle handle);
  bool load_known_session(Session& session, proto::Bytes blob);

  CommandRun& run_;
  // What FlushContext is about.
  Object* flushed_object_ = nullptr;
  Session* flushed_session_ = nullptr;
  // The session that ContextLoad hands to this context.
  Session* claimed_ = nullptr;
};

}  // namespace tbs::rm
