#pragma once

// After the TPM has run a client's command: what it made is registered, what it ended is dropped,
// and the response gets the client's own handles.

#include <array>
#include <cstdint>
#include <optional>

#include "daemon/rm12/command_run.h"
#include "daemon/rm12/context_commands.h"
#include "daemon/tpm12/response.h"

namespace tbs::rm12 {

class CommandResults {
 public:
  CommandResults(CommandRun& run, ContextCommands& contexts) : run_(run), contexts_(contexts) {}

  // Whether a response is long enough for the handle that it should begin with.
  [[nodiscard]] bool complete(const tpm12::ResponseView& response) const;
  // The command has succeeded with this response, which run.reply holds and which is complete.
  // `detached`: nobody waits for the reply, so that what was made becomes a stray. Returns whether
  // the TPM has to be looked at: the command may have ended more than it says.
  bool take(const tpm12::ResponseView& response, bool detached);

 private:
  using Sessions = std::array<Resource*, tpm12::kMaxAuths>;

  bool take_wrapped(const tpm12::ResponseView& response);
  bool end_sessions(Sessions& auths, std::uint8_t count, const tpm12::ResponseView& response);
  void end_session(Resource* session);
  void register_result(const tpm12::CommandView& command, exec::PhysicalHandle physical,
                       std::size_t offset);
  bool refuse_duplicate(const tpm12::CommandView& command, exec::PhysicalHandle physical);
  [[nodiscard]] std::optional<exec::VirtualHandle> wanted_handle(
      const tpm12::CommandView& command, exec::PhysicalHandle physical) const;
  [[nodiscard]] bool free(exec::VirtualHandle key) const;
  void describe(const tpm12::CommandView& command, Resource& resource) const;
  void describe_loaded(const tpm12::CommandView& command, Resource& key) const;
  void register_daa(const tpm12::ResponseView& response);
  void note_key_control();
  void make_ordinary(Resource* key);

  CommandRun& run_;
  ContextCommands& contexts_;
  bool detached_ = false;
};

}  // namespace tbs::rm12
