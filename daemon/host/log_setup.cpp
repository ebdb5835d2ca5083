#include "daemon/host/log_setup.h"

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

void set_log_level(const std::string& level) {
  spdlog::set_level(spdlog::level::from_str(level));
}

}  // namespace tbs::host
