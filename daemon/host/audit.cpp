#include "daemon/host/audit.h"

#include <cstdlib>
#include <vector>

#include <sys/uio.h>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
// The plain functions: a source file's name and line are of no use here.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "daemon/base/tenant_name.h"
#include "daemon/host/limited_log.h"
#include "proto/terminal_text.h"

namespace tbs::host {
namespace {

void send_to_journal(std::vector<std::string> entry) {
  std::vector<iovec> parts;
  parts.reserve(entry.size());
  for (std::string& field : entry) {
    parts.push_back({.iov_base = field.data(), .iov_len = field.size()});
  }
  // A journal that is not there must not stop the daemon; there is nobody to be told.
  static_cast<void>(sd_journal_sendv(parts.data(), static_cast<int>(parts.size())));
}

// Whose lines these are; those of one are bounded apart from those of another.
std::uint32_t account_of(const AuditFields& fields) {
  if (!fields.tenant.empty()) return shown_number(tenant_user(fields.tenant));
  return fields.uid.value_or(0);
}

}  // namespace

std::vector<std::string> journal_entry(spdlog::level::level_enum level, proto::Event event,
                                       const AuditFields& fields, const std::string& text) {
  const proto::EventName& name = proto::name_of(event);
  std::vector<std::string> entry = {
      "MESSAGE=" + text, fmt::format("PRIORITY={}", syslog_level(level)),
      fmt::format("MESSAGE_ID={}", name.message_id), fmt::format("TBS_EVENT={}", name.name),
      "SYSLOG_IDENTIFIER=tbsd"};
  if (fields.uid) entry.push_back(fmt::format("TBS_UID={}", *fields.uid));
  if (fields.pid) entry.push_back(fmt::format("TBS_PID={}", *fields.pid));
  if (!fields.program.empty()) entry.push_back("TBS_PROGRAM=" + fields.program);
  if (!fields.tenant.empty()) entry.push_back("TBS_TENANT=" + fields.tenant);
  if (fields.context) entry.push_back(fmt::format("TBS_CONTEXT={}", *fields.context));
  if (fields.command) entry.push_back(fmt::format("TBS_COMMAND={:#x}", *fields.command));
  if (!fields.rule.empty()) entry.push_back("TBS_RULE=" + fields.rule);
  return entry;
}

std::optional<std::string> audit(spdlog::level::level_enum level, proto::Event event,
                                 const AuditFields& fields, const std::string& text) {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  auto line = bounded(event, account_of(fields), proto::terminal_text(text));
  if (!line || !spdlog::should_log(level)) return line;
  if (journal) {
    send_to_journal(journal_entry(level, event, fields, *line));
  } else {
    spdlog::log(level, "{}", *line);
  }
  return line;
}

}  // namespace tbs::host
