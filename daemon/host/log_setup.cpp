#include "daemon/host/log_setup.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>

#include "proto/terminal_text.h"

namespace tbs::host {
namespace {

using Inner = std::shared_ptr<spdlog::sinks::sink>;

// Everything that is logged passes here: programs, files and devices give themselves names.
class HarmlessSink final : public spdlog::sinks::sink {
 public:
  explicit HarmlessSink(Inner inner) : inner_(std::move(inner)) {}

  void log(const spdlog::details::log_msg& message) override {
    const std::string text = harmless_lines({message.payload.data(), message.payload.size()});
    spdlog::details::log_msg copy = message;
    copy.payload = text;
    inner_->log(copy);
  }
  void flush() override { inner_->flush(); }
  void set_pattern(const std::string& pattern) override { inner_->set_pattern(pattern); }
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
    inner_->set_formatter(std::move(formatter));
  }

 private:
  Inner inner_;
};

Inner journal_sink() {
  return std::make_shared<spdlog::sinks::systemd_sink_mt>();
}

Inner stderr_sink() {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  sink->set_pattern("%Y-%m-%d %H:%M:%S.%e tbsd %^%l%$: %v");
  return sink;
}

}  // namespace

std::string harmless_lines(std::string_view text) {
  std::string lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines += proto::terminal_text(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    lines += '\n';
    text.remove_prefix(end + 1);
  }
}

void set_up_log() {
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  auto sink = std::make_shared<HarmlessSink>(journal ? journal_sink() : stderr_sink());
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("tbsd", std::move(sink)));
}

void set_log_level(LogLevel level) {
  using spdlog::level::level_enum;
  constexpr std::array kLevels = {level_enum::trace, level_enum::debug, level_enum::info,
                                  level_enum::warn,  level_enum::err,   level_enum::off};
  spdlog::set_level(kLevels[static_cast<std::size_t>(level)]);
}

}  // namespace tbs::host
