#include "daemon/host/limited_log.h"

#include <mutex>

#include <spdlog/spdlog.h>

#include "daemon/base/log_limit.h"

namespace tbs::host {
namespace {

// Apart from the numbers of events.
constexpr std::uint64_t kFirstTopic = 0x10000;

std::optional<std::string> bounded(std::uint64_t kind, std::uint32_t user,
                                   const std::string& text) {
  // The log is the process's, and so is its bound.
  static std::mutex mutex;
  static LogLimit limit;
  const std::lock_guard lock(mutex);
  return limit.line(kind << 32 | user, text, std::chrono::steady_clock::now());
}

}  // namespace

std::optional<std::string> bounded(proto::Event event, std::uint32_t user,
                                   const std::string& text) {
  return bounded(static_cast<std::uint64_t>(event), user, text);
}

std::optional<std::string> bounded(Topic topic, std::uint32_t user, const std::string& text) {
  return bounded(kFirstTopic + static_cast<std::uint64_t>(topic), user, text);
}

void log_limited(spdlog::level::level_enum level, Topic topic, const std::string& text,
                 std::uint32_t user) {
  if (!spdlog::should_log(level)) return;
  if (const auto line = bounded(topic, user, text)) spdlog::log(level, "{}", *line);
}

}  // namespace tbs::host
