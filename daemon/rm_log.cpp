#include "daemon/rm_log.h"

#include <spdlog/spdlog.h>

namespace tbs {

void RmLog::tpm_restarted(bool reset, std::size_t objects_lost, std::size_t sessions_lost) {
  spdlog::warn(
      "the TPM was {} by somebody else; {} objects and {} sessions of clients could not be kept, "
      "and their programs will be told that the handles are unknown",
      reset ? "reset" : "restarted", objects_lost, sessions_lost);
}

void RmLog::lost(UserId user, std::uint32_t handle, std::uint32_t response_code) {
  spdlog::warn(
      "handle {:#010x} of uid {} could not be loaded again (TPM response code {:#x}) and "
      "was dropped",
      handle, static_cast<std::uint32_t>(user), response_code);
}

void RmLog::session_dropped(UserId user, std::uint32_t handle, std::string_view reason) {
  spdlog::info("session {:#010x} of uid {} was flushed: {}", handle,
               static_cast<std::uint32_t>(user), reason);
}

void RmLog::tables_differ(std::string_view difference) {
  ++differences_;
  spdlog::error("the handle tables and the TPM differ: {}please report this", difference);
}

}  // namespace tbs
