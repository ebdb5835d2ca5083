#include "daemon/server/system_environment.h"

#include <utility>

#include "daemon/host/memory_reserve.h"

namespace tbs::server {

TimePoint SystemEnvironment::now() const {
  return std::chrono::steady_clock::now();
}

bool SystemEnvironment::memory_is_short() {
  return host::memory_is_short();
}

void SystemEnvironment::post(std::move_only_function<void()> work) {
  deferred_.post(std::move(work));
}

void SystemAuditLog::write(spdlog::level::level_enum level, proto::Event event,
                           const host::AuditFields& fields, const std::string& text) {
  host::audit(level, event, fields, text);
}

}  // namespace tbs::server
