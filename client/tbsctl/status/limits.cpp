#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "client/tbsctl/contexts/tenants.h"
#include "client/tbsctl/status/commands.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/named.h"
#include "client/tbsctl/text/table.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {
namespace {

constexpr Names<std::uint32_t, 3> kScopes = {{{1, "context"}, {2, "user"}, {3, "all"}}};

// Of the limits that count no things.
constexpr std::array kUnits = {
    std::pair<std::string_view, std::string_view>{"orphan-lifetime", "s"},
    std::pair<std::string_view, std::string_view>{"max-backlog-per-user", "KiB"},
    std::pair<std::string_view, std::string_view>{"max-backlog", "KiB"},
};

std::string_view scope_text(std::uint32_t scope) {
  return name_of(kScopes, scope).value_or("unknown");
}

std::string_view unit_of(const proto::LimitEntry& entry) {
  const auto* const found =
      std::ranges::find(kUnits, entry.name, &decltype(kUnits)::value_type::first);
  return found == kUnits.end() ? std::string_view{} : found->second;
}

std::string with_unit(std::uint64_t number, std::string_view unit) {
  return std::to_string(number) + (unit.empty() ? "" : " ") + std::string(unit);
}

nlohmann::ordered_json as_json(const proto::LimitEntry& entry) {
  nlohmann::ordered_json json = {{"name", entry.name},   {"scope", scope_text(entry.scope)},
                                 {"limit", entry.limit}, {"used", entry.used},
                                 {"unit", nullptr},      {"uid", nullptr}};
  if (const auto unit = unit_of(entry); !unit.empty()) json["unit"] = unit;
  if (entry.uid != proto::kNobody) json["uid"] = entry.uid;
  return json;
}

Colour usage_colour(const proto::LimitEntry& entry) {
  return entry.used >= entry.limit && entry.used > 0 ? Colour::Caution : Colour::Plain;
}

Table as_table(const std::vector<proto::LimitEntry>& entries, UserNames& users) {
  Table table({{"LIMIT"}, {"FOR EACH"}, {"AT MOST", Align::Right}, {"USED", Align::Right}, {"BY"}});
  for (const proto::LimitEntry& entry : entries) {
    table.add({printable(entry.name),
               std::string(scope_text(entry.scope)),
               with_unit(entry.limit, unit_of(entry)),
               {with_unit(entry.used, unit_of(entry)), usage_colour(entry)},
               entry.uid == proto::kNobody ? "-" : users.of(entry.uid)});
  }
  return table;
}

}  // namespace

Outcome run_limits(Conversation& daemon, const Console& console) {
  const auto list = daemon.ask(proto::ListLimits{});
  if (!list) return std::unexpected(list.error());
  if (list->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("cannot list the limits", list->status));
  }
  if (console.json) {
    nlohmann::ordered_json entries = nlohmann::ordered_json::array();
    for (const proto::LimitEntry& entry : list->entries) entries.push_back(as_json(entry));
    print_json(console.out, entries);
  } else {
    UserNames users;
    learn_tenants(daemon, list->entries, users);
    as_table(list->entries, users).print(console.out);
  }
  return {};
}

Subcommand limits_subcommand() {
  return {.name = "limits",
          .summary = "Show what may be used, and how much of it is",
          .help =
              "The name of each limit in tbsd.conf(5), whether it holds for each context, for each "
              "user or for all\n"
              "together, its value, how much of it is used by who uses most, and who that "
              "is.\n\nExample:\n"
              "  tbsctl --json limits | jq '.[] | select(.used == .limit)'",
          .needs = always(kObserver),
          .run = [](const Environment& environment) {
            return run_limits(*environment.daemon, environment.console);
          }};
}

}  // namespace tbs::ctl
