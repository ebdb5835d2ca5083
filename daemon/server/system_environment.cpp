#include "daemon/server/system_environment.h"

#include <chrono>
#include <utility>

#include <sys/random.h>

#include "daemon/host/memory_reserve.h"

namespace tbs::server {

TimePoint SystemEnvironment::now() const {
  return std::chrono::steady_clock::now();
}

bool SystemEnvironment::memory_is_short() {
  return host::memory_is_short();
}

// It would wait for the kernel to have gathered enough otherwise. Up to 256 bytes come at once,
// whatever the signals (getrandom(2)).
bool SystemEnvironment::fill_random(std::span<std::uint8_t> room) {
  return ::getrandom(room.data(), room.size(), GRND_NONBLOCK) == static_cast<ssize_t>(room.size());
}

void SystemEnvironment::post(std::move_only_function<void()> work) {
  deferred_.post(std::move(work));
}

void SystemAuditLog::write(spdlog::level::level_enum level, proto::Event event,
                           const host::AuditFields& fields, const std::string& text) {
  ++counts_[static_cast<std::size_t>(event)];
  auto line = host::audit(level, event, fields, text);
  if (!line) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  history_.add(static_cast<std::uint64_t>(
                   std::chrono::duration_cast<std::chrono::microseconds>(now).count()),
               {.event = event, .level = level, .fields = fields, .text = *std::move(line)});
}

}  // namespace tbs::server
