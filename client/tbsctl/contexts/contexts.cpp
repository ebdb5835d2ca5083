#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/contexts/commands.h"
#include "client/tbsctl/contexts/context_pages.h"
#include "client/tbsctl/contexts/context_text.h"
#include "client/tbsctl/contexts/tenants.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/named.h"
#include "client/tbsctl/text/table.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {
namespace {

struct ContextsOptions {
  ContextOrder order = ContextOrder::Context;
  std::optional<std::uint64_t> context;  // this one alone, and what it holds
};

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
    table.add({std::to_string(entry.context),
               users.of(entry.uid),
               std::to_string(entry.pid),
               printable(entry.program),
               priority_text(entry.priority),
               std::to_string(entry.queued),
               std::to_string(entry.queued_bytes),
               std::to_string(entry.submitted),
               {context_state(entry), context_colour(entry)},
               activity_text(entry)});
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
    for (const proto::ContextEntry& entry : *entries) list.push_back(context_json(entry, users));
    print_json(console.out, list);
  } else {
    as_table(*entries, users).print(console.out);
  }
  return {};
}

Subcommand contexts_subcommand() {
  const auto options = std::make_shared<ContextsOptions>();
  return {
      .name = "contexts",
      .summary = "List the contexts: who uses the TPM, what waits, what runs",
      .help = "The state of a context is one of " + context_states() +
              ". Detached: its command was\ncancelled, but holds the TPM until it ends. "
              "`tbsctl cancel` takes the number of a context.\nWith ID: what that one has on the "
              "TPM, or in the daemon's memory; for contexts of one's own user, "
              "an\nadministrator any.\n\nExamples:\n"
              "  tbsctl contexts --sort running\n  tbsctl contexts 17",
      .options = {{.name = "ID",
                   .about = "Number of one context: show what it holds",
                   .read = read_number(field(options, &ContextsOptions::context)),
                   .offer = {Offer::Kind::Contexts}},
                  {.name = "--sort",
                   .value = "COLUMN",
                   .about = "By one of " + listed(kContextOrders) +
                            "; amounts go down, everything else up (default: context)",
                   .read = read_name(field(options, &ContextsOptions::order), kContextOrders),
                   .offer = names_of(kContextOrders)}},
      .needs = always(kObserver),
      .run =
          [options](const Environment& environment) {
            if (options->context) {
              return run_context(*environment.daemon, environment.console, *options->context);
            }
            return run_contexts(*environment.daemon, environment.console, options->order);
          },
      .page = true};
}

}  // namespace tbs::ctl
