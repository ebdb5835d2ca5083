#pragma once

// Lines of the log that a client or a broken device can cause. What the bound is about is the pair
// of a topic and whom it concerns; what administrators cause themselves is logged without.

#include <cstdint>
#include <optional>
#include <string>

#include <spdlog/common.h>

#include "proto/event_names.h"

namespace tbs::host {

enum class Topic : std::uint8_t {
  DeviceNotice,
  DeviceFailure,
  LoadedLost,
  HandleLost,
  SessionDropped,
  TablesDiffer,
  Firmware,
  StateFile,
  DescriptorStore,
};

// One mechanism for all: the line that may be written now, or nothing. From any thread.
std::optional<std::string> bounded(proto::Event event, std::uint32_t user, const std::string& text);
std::optional<std::string> bounded(Topic topic, std::uint32_t user, const std::string& text);

// `user` is whom the line is about, or 0 when it is nobody.
void log_limited(spdlog::level::level_enum level, Topic topic, const std::string& text,
                 std::uint32_t user = 0);

}  // namespace tbs::host
