#include "daemon/rm12/command_run.h"

#include "daemon/rm12/release.h"
#include "daemon/tpm12/response.h"

namespace tbs::rm12 {

Resource* CommandRun::usable(Kind kind, exec::VirtualHandle handle) {
  const Lookup found = look_up(state, context, kind, handle);
  if (found.lost != nullptr) lose(state, *found.lost, tpm12::rc::kInvalidKeyHandle);
  return found.usable;
}

bool CommandRun::refuse(std::uint32_t code) {
  if (!reply.empty()) return true;
  ++state.statistics.refused;
  reply = tpm12::bare_response(code);
  return true;
}

bool CommandRun::refuse_run(std::uint32_t code) {
  const bool retried = !reply.empty();
  refuse(code);
  if (retried) return true;
  end_sessions_of(view);
  if (wrapped) end_sessions_of(*wrapped);
  return true;
}

void CommandRun::end_sessions_of(const tpm12::CommandView& named) {
  for (std::uint8_t i = 0; i < named.auth_count; ++i) {
    const auto& auth = named.auths[i];
    Resource* const session =
        state.table.find(context, auth.kind, exec::VirtualHandle{auth.handle.value});
    if (session != nullptr && !session->saved_by_client()) release(state, *session);
  }
}

bool CommandRun::reply_from_memory(proto::Buffer answer) {
  ++state.statistics.from_memory;
  reply = std::move(answer);
  return true;
}

}  // namespace tbs::rm12
