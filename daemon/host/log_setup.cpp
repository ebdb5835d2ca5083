#include "daemon/host/log_setup.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>

namespace tbs::host {

void set_up_log() {
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  auto logger = journal ? spdlog::systemd_logger_mt("tbsd") : spdlog::stderr_color_mt("tbsd");
  if (!journal) logger->set_pattern("%Y-%m-%d %H:%M:%S.%e tbsd %^%l%$: %v");
  spdlog::set_default_logger(std::move(logger));
}

void set_log_level(LogLevel level) {
  using spdlog::level::level_enum;
  constexpr std::array kLevels = {level_enum::trace, level_enum::debug, level_enum::info,
                                  level_enum::warn,  level_enum::err,   level_enum::off};
  spdlog::set_level(kLevels[static_cast<std::size_t>(level)]);
}

}  // namespace tbs::host
