#include "daemon/rm_log.h"

#include <spdlog/fmt/fmt.h>

#include "daemon/host/limited_log.h"

namespace tbs {
namespace {

std::string name_of(UserId user) {
  return fmt::format("{} {}", is_tenant(user) ? "tenant number" : "uid", shown_number(user));
}

std::string_view text_of(exec::LossCause cause) {
  switch (cause) {
    case exec::LossCause::Reset:
      return "the TPM was reset by somebody else";
    case exec::LossCause::Restart:
      return "the TPM was restarted by somebody else";
    case exec::LossCause::Device:
      return "the TPM's device was lost, and others may have used it meanwhile";
    case exec::LossCause::NotThere:
      break;
  }
  return "the TPM no longer has all that was loaded";
}

}  // namespace

using host::log_limited;
using host::Topic;

void RmLog::loaded_lost(exec::LossCause cause, std::size_t objects, std::size_t sessions) {
  if (told_before_()) return;
  log_limited(spdlog::level::warn, Topic::LoadedLost,
              fmt::format("{}; {} objects and {} sessions of clients could not be kept, and their "
                          "programs will be told that the handles are unknown",
                          text_of(cause), objects, sessions));
}

void RmLog::lost(UserId user, std::uint32_t handle, std::uint32_t response_code) {
  if (told_before_()) return;
  log_limited(spdlog::level::warn, Topic::HandleLost,
              fmt::format("handle {:#010x} of {} could not be kept: the TPM does not save it or "
                          "load it again (response code {:#x}); its program will be told that the "
                          "handle is unknown",
                          handle, name_of(user), response_code),
              shown_number(user));
}

void RmLog::session_dropped(UserId user, std::uint32_t handle, std::string_view reason) {
  if (told_before_()) return;
  log_limited(spdlog::level::info, Topic::SessionDropped,
              fmt::format("session {:#010x} of {} was flushed: {}", handle, name_of(user), reason),
              shown_number(user));
}

void RmLog::tables_differ(std::string_view difference) {
  if (told_before_()) return;
  ++differences_;
  log_limited(
      spdlog::level::err, Topic::TablesDiffer,
      fmt::format("the handle tables and the TPM differ: {}please report this", difference));
}

void RmLog::older_state_loaded(std::uint32_t handle) {
  if (told_before_()) return;
  ++differences_;
  log_limited(
      spdlog::level::critical, Topic::TablesDiffer,
      fmt::format("handle {:#010x} is loaded in an older state than it had: what its program "
                  "computes with it is wrong; please report this",
                  handle));
}

}  // namespace tbs
