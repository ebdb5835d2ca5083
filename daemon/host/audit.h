#pragma once

// What an administrator wants to know about clients: who did what, as a line of the log, and in the
// journal with fields of its own (docs/events.md). A client can cause such lines, so some of each
// kind and user are written, then one now and then with the number of those left out.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/common.h>

#include "proto/event_names.h"

namespace tbs::host {

// What is known of it; what is not stays away from the journal's entry.
struct AuditFields {
  std::optional<std::uint32_t> uid;  // of the process
  std::optional<std::int64_t> pid;
  std::string program;
  std::string tenant;
  std::optional<std::uint64_t> context;
  std::optional<std::uint32_t> command;  // code of the TPM command
  std::string rule;                      // where the rule stands
};

// The line, also when its level is not logged; nothing when it is one too many. From the loop's
// thread only.
std::optional<std::string> audit(spdlog::level::level_enum level, proto::Event event,
                                 const AuditFields& fields, const std::string& text);
// As syslog(3) has it.
constexpr int syslog_level(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err) return 3;
  if (level == spdlog::level::warn) return 4;
  return level == spdlog::level::info ? 6 : 7;
}

// The fields of such an entry of the journal, each as NAME=value.
std::vector<std::string> journal_entry(spdlog::level::level_enum level, proto::Event event,
                                       const AuditFields& fields, const std::string& text);

}  // namespace tbs::host
