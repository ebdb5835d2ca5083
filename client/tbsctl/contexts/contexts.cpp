#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/commands.h"
#include "client/tbsctl/contexts/context_pages.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/table.h"
#include "client/tbsctl/text/user_names.h"
#include "client/tbsctl/tpm/command_name.h"

namespace tbs::ctl {
namespace {

// The values of ContextEntry::running.
constexpr std::uint32_t kRunning = 1;
constexpr std::uint32_t kDetached = 2;

std::string_view state_text(const proto::ContextEntry& entry) {
  if (entry.running == kDetached) return "detached";
  if (entry.running == kRunning) return "running";
  return entry.queued > 0 ? "waiting" : "idle";
}

// "Create for 1.2 s"; a detached command was cancelled, but holds the TPM until it ends.
std::string activity(const proto::ContextEntry& entry) {
  if (entry.running != kRunning && entry.running != kDetached) return "-";
  return command_name(entry.command) + " for " + duration(entry.running_us) +
         (entry.running == kDetached ? " (cancelled, the TPM has not ended it)" : "");
}

nlohmann::ordered_json as_json(const proto::ContextEntry& entry, UserNames& users) {
  nlohmann::ordered_json json = {
      {"context", entry.context},     {"uid", entry.uid},
      {"user", users.of(entry.uid)},  {"pid", entry.pid},
      {"program", entry.program},     {"priority", entry.priority},
      {"queued", entry.queued},       {"queued_bytes", entry.queued_bytes},
      {"submitted", entry.submitted}, {"state", state_text(entry)},
      {"command", nullptr},           {"running_us", nullptr}};
  if (entry.running == kRunning || entry.running == kDetached) {
    json["command"] = {{"code", entry.command}, {"name", command_name(entry.command)}};
    json["running_us"] = entry.running_us;
  }
  return json;
}

Table as_table(const std::vector<proto::ContextEntry>& entries, UserNames& users) {
  Table table({{"CONTEXT", Align::Right},
               {"USER"},
               {"PID", Align::Right},
               {"PROGRAM"},
               {"PRIORITY", Align::Right},
               {"QUEUED", Align::Right},
               {"BYTES", Align::Right},
               {"SUBMITTED", Align::Right},
               {"STATE"},
               {"RUNNING"}});
  for (const proto::ContextEntry& entry : entries) {
    table.add({std::to_string(entry.context), users.of(entry.uid), std::to_string(entry.pid),
               printable(entry.program), priority_text(entry.priority),
               std::to_string(entry.queued), std::to_string(entry.queued_bytes),
               std::to_string(entry.submitted), std::string(state_text(entry)), activity(entry)});
  }
  return table;
}

}  // namespace

Outcome run_contexts(Conversation& daemon, const Console& console) {
  const auto entries = all_contexts(daemon);
  if (!entries) return std::unexpected(entries.error());
  UserNames users;
  if (console.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const proto::ContextEntry& entry : *entries) list.push_back(as_json(entry, users));
    print_json(console.out, list);
  } else {
    as_table(*entries, users).print(console.out);
  }
  return {};
}

}  // namespace tbs::ctl
