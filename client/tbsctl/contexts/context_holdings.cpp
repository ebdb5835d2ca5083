#include "client/tbsctl/contexts/context_holdings.h"

#include <nlohmann/json.hpp>

#include "client/tbsctl/contexts/commands.h"
#include "client/tbsctl/contexts/context_text.h"
#include "client/tbsctl/contexts/tenants.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/named.h"
#include "client/tbsctl/text/table.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {
namespace {

using proto::HoldingEntry;
using proto::HoldingKind;

constexpr Names<HoldingKind, 3> kHoldingKinds = {{
    {HoldingKind::Object, "object"},
    {HoldingKind::Sequence, "sequence"},
    {HoldingKind::Session, "session"},
}};

std::string kind_text(const HoldingEntry& entry) {
  return std::string(name_of(kHoldingKinds, entry.kind).value_or("unknown"));
}

std::string place_text(const HoldingEntry& entry) {
  std::string text = entry.loaded != 0 ? "on the TPM" : "evicted";
  if (entry.saved != 0) text = "saved by its program";
  return entry.sticky != 0 ? text + ", sticky" : text;
}

nlohmann::ordered_json holding_json(const HoldingEntry& entry) {
  return {{"handle", entry.handle},
          {"kind", kind_text(entry)},
          {"loaded", entry.loaded != 0},
          {"saved", entry.saved != 0},
          {"sticky", entry.sticky != 0}};
}

Failure no_context(std::uint64_t context, proto::Status status) {
  const std::string what = "cannot tell what context " + std::to_string(context) + " holds";
  Failure failure = tbs_failure(what, status);
  if (status == proto::Status::InvalidContext) {
    failure.message = what + ": there is none with this number; `tbsctl contexts` lists them";
  } else if (status == proto::Status::AccessDenied) {
    failure.message = what + ": it belongs to another user or tenant";
  }
  return failure;
}

std::expected<proto::ContextEntry, Failure> entry_of(Conversation& daemon, std::uint64_t context) {
  if (context == 0) return std::unexpected(no_context(context, proto::Status::InvalidContext));
  auto page = daemon.ask(proto::ListContexts{.after = context - 1});
  if (!page) return std::unexpected(std::move(page.error()));
  if (page->entries.empty() || page->entries.front().context != context) {
    return std::unexpected(no_context(context, proto::Status::InvalidContext));
  }
  return std::move(page->entries.front());
}

}  // namespace

void print_holdings(std::ostream& out, const proto::ContextEntry& entry,
                    const proto::HoldingList& list, UserNames& users) {
  print_properties(
      out, {{"Context", std::to_string(entry.context)},
            {"User", users.of(entry.uid)},
            {"Program", printable(entry.program) + " (pid " + std::to_string(entry.pid) + ")"},
            {"Priority", priority_text(entry.priority)},
            {"Queued", std::to_string(entry.queued) + " commands, " +
                           std::to_string(entry.queued_bytes) + " bytes"},
            {"Submitted", std::to_string(entry.submitted) + " commands"},
            {"State", {context_state(entry), context_colour(entry)}},
            {"Running", activity_text(entry)},
            {"Holds", std::to_string(list.entries.size()) + (list.more != 0 ? " and more" : "")}});
  if (list.entries.empty()) return;
  Table table({{"HANDLE"}, {"KIND"}, {"WHERE"}});
  for (const HoldingEntry& holding : list.entries) {
    table.add({hex32(holding.handle), kind_text(holding), place_text(holding)});
  }
  out << '\n';
  table.print(out);
}

std::expected<proto::HoldingList, Failure> ask_holdings(Conversation& daemon, std::uint64_t context,
                                                        client::Deadline deadline) {
  auto list = daemon.ask(proto::ListHoldings{.context = context}, deadline);
  if (list && list->status != proto::Status::Success) {
    return std::unexpected(no_context(context, list->status));
  }
  return list;
}

Outcome run_context(Conversation& daemon, const Console& console, std::uint64_t context) {
  const auto entry = entry_of(daemon, context);
  if (!entry) return std::unexpected(entry.error());
  const auto list = ask_holdings(daemon, context, Conversation::deadline_for(Patience::Answer));
  if (!list) return std::unexpected(list.error());
  UserNames users;
  learn_tenants(daemon, std::vector<std::uint32_t>{entry->uid}, users);
  if (!console.json) {
    print_holdings(console.out, *entry, *list, users);
    return {};
  }
  auto json = context_json(*entry, users);
  json["more"] = list->more != 0;
  json["holds"] = nlohmann::ordered_json::array();
  for (const HoldingEntry& holding : list->entries) json["holds"].push_back(holding_json(holding));
  print_json(console.out, json);
  return {};
}

}  // namespace tbs::ctl
