#include <array>

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/commands.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/table.h"
#include "client/tbsctl/text/user_names.h"

namespace tbs::ctl {
namespace {

std::string_view scope_text(std::uint32_t scope) {
  static constexpr std::array<std::string_view, 4> kTexts = {"unknown", "context", "user", "all"};
  return kTexts[scope < kTexts.size() ? scope : 0];
}

nlohmann::ordered_json as_json(const proto::LimitEntry& entry) {
  nlohmann::ordered_json json = {{"name", entry.name},
                                 {"scope", scope_text(entry.scope)},
                                 {"limit", entry.limit},
                                 {"used", entry.used},
                                 {"uid", nullptr}};
  if (entry.uid != proto::kNobody) json["uid"] = entry.uid;
  return json;
}

Table as_table(const std::vector<proto::LimitEntry>& entries, UserNames& users) {
  Table table({{"LIMIT"}, {"FOR EACH"}, {"AT MOST", Align::Right}, {"USED", Align::Right}, {"BY"}});
  for (const proto::LimitEntry& entry : entries) {
    table.add({printable(entry.name), std::string(scope_text(entry.scope)),
               std::to_string(entry.limit), std::to_string(entry.used),
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
    as_table(list->entries, users).print(console.out);
  }
  return {};
}

}  // namespace tbs::ctl
