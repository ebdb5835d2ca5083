#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/contexts/commands.h"
#include "client/tbsctl/contexts/context_pages.h"
#include "client/tbsctl/contexts/tenants.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/named.h"
#include "client/tbsctl/text/table.h"
#include "client/tbsctl/text/user_names.h"
#include "client/tbsctl/tpm/command_name.h"

namespace tbs::ctl {
namespace {

struct ContextsOptions {
  ContextOrder order = ContextOrder::Context;
};

enum class State : std::uint8_t { Idle, Waiting, Running, Detached };

constexpr Names<State, 4> kStates = {{
    {State::Idle, "idle"},
    {State::Waiting, "waiting"},
    {State::Running, "running"},
    {State::Detached, "detached"},
}};

State state_of(const proto::ContextEntry& entry) {
  if (entry.running == 1) return State::Running;
  if (entry.running == 2) return State::Detached;
  return entry.queued > 0 ? State::Waiting : State::Idle;
}

bool is_on_the_tpm(const proto::ContextEntry& entry) {
  return state_of(entry) == State::Running || state_of(entry) == State::Detached;
}

std::string state_text(const proto::ContextEntry& entry) {
  return std::string(*name_of(kStates, state_of(entry)));
}

// "Create for 1.2 s"; a detached command was cancelled, but holds the TPM until it ends.
std::string activity(const proto::ContextEntry& entry) {
  if (!is_on_the_tpm(entry)) return "-";
  return command_name(entry.command) + " for " + duration(entry.running_us) +
         (state_of(entry) == State::Detached ? " (cancelled, the TPM has not ended it)" : "");
}

nlohmann::ordered_json as_json(const proto::ContextEntry& entry, UserNames& users) {
  nlohmann::ordered_json json = {{"context", entry.context},
                                 {"uid", entry.uid},
                                 {"user", users.of(entry.uid)},
                                 {"tenant", nullptr},
                                 {"pid", entry.pid},
                                 {"program", entry.program},
                                 {"priority", entry.priority},
                                 {"queued", entry.queued},
                                 {"queued_bytes", entry.queued_bytes},
                                 {"submitted", entry.submitted},
                                 {"state", state_text(entry)},
                                 {"command", nullptr},
                                 {"running_us", nullptr}};
  if (const auto tenant = users.tenant(entry.uid)) json["tenant"] = *tenant;
  if (is_on_the_tpm(entry)) {
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
               std::to_string(entry.submitted), state_text(entry), activity(entry)});
  }
  return table;
}

}  // namespace

Outcome run_contexts(Conversation& daemon, const Console& console, ContextOrder order) {
  auto entries = all_contexts(daemon);
  if (!entries) return std::unexpected(entries.error());
  UserNames users;
  learn_tenants(daemon, *entries, users);
  sort_contexts(*entries, order, users);
  if (console.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const proto::ContextEntry& entry : *entries) list.push_back(as_json(entry, users));
    print_json(console.out, list);
  } else {
    as_table(*entries, users).print(console.out);
  }
  return {};
}

Subcommand contexts_subcommand() {
  const auto options = std::make_shared<ContextsOptions>();
  return {.name = "contexts",
          .summary = "List the contexts: who uses the TPM, what waits, what runs",
          .help = "The state of a context is one of " + listed(kStates) +
                  ". Detached: its command was\ncancelled, but holds the TPM until it ends. "
                  "`tbsctl cancel` takes the number of a context.\n\nExample:\n"
                  "  tbsctl contexts --sort running",
          .options = {{.name = "--sort",
                       .value = "COLUMN",
                       .about = "By one of " + listed(kContextOrders) +
                                "; amounts go down, everything else up (default: context)",
                       .read = read_name(field(options, &ContextsOptions::order), kContextOrders),
                       .offer = names_of(kContextOrders)}},
          .needs = always(kObserver),
          .run = [options](const Environment& environment) {
            return run_contexts(*environment.daemon, environment.console, options->order);
          }};
}

}  // namespace tbs::ctl
