#include "daemon/host/audit.h"

#include <algorithm>
#include <set>

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

using namespace tbs;
using host::journal_entry;
using spdlog::level::level_enum;

namespace {

// The value of a field; "" when it is not there.
std::string value_of(const std::vector<std::string>& entry, const std::string& name) {
  const auto found = std::ranges::find_if(
      entry, [&](const std::string& field) { return field.starts_with(name + "="); });
  return found == entry.end() ? "" : found->substr(name.size() + 1);
}

}  // namespace

TEST_CASE("what is known of an event is in the journal's entry", "[host][audit]") {
  const auto entry = journal_entry(level_enum::warn, proto::Event::Blocked,
                                   {.uid = 1000,
                                    .pid = 4711,
                                    .program = "tpm2_clear",
                                    .context = 12,
                                    .command = tpm::cc::kClear,
                                    .rule = "/etc/tbs/policy.d/10.conf:3"},
                                   "blocked TPM2_Clear");
  CHECK(value_of(entry, "MESSAGE") == "blocked TPM2_Clear");
  CHECK(value_of(entry, "PRIORITY") == "4");
  CHECK(value_of(entry, "TBS_EVENT") == "blocked");
  CHECK(value_of(entry, "SYSLOG_IDENTIFIER") == "tbsd");
  CHECK(value_of(entry, "TBS_UID") == "1000");
  CHECK(value_of(entry, "TBS_PID") == "4711");
  CHECK(value_of(entry, "TBS_PROGRAM") == "tpm2_clear");
  CHECK(value_of(entry, "TBS_CONTEXT") == "12");
  CHECK(value_of(entry, "TBS_COMMAND") == "0x126");
  CHECK(value_of(entry, "TBS_RULE") == "/etc/tbs/policy.d/10.conf:3");
  CHECK(entry.size() == 11);
}

TEST_CASE("what is not known is not in the entry", "[host][audit]") {
  const auto entry = journal_entry(level_enum::err, proto::Event::Memory, {}, "no memory");
  CHECK(entry.size() == 5);
  for (const std::string& field : entry) {
    INFO(field);
    CHECK((field.starts_with("TBS_EVENT=") || !field.starts_with("TBS_")));
  }
  // Nobody is user 0 here, but user 0 is somebody.
  CHECK(value_of(journal_entry(level_enum::err, proto::Event::Memory, {.uid = 0}, ""), "TBS_UID") ==
        "0");
}

TEST_CASE("each event has its message id, and the level its priority", "[host][audit]") {
  std::set<std::string> ids;
  for (const proto::EventName& name : proto::kEventNames) {
    const auto entry = journal_entry(level_enum::info, name.event, {}, "text");
    CHECK(value_of(entry, "MESSAGE_ID") == name.message_id);
    CHECK(value_of(entry, "TBS_EVENT") == name.name);
    ids.insert(value_of(entry, "MESSAGE_ID"));
  }
  CHECK(ids.size() == proto::kEventNames.size());
  const auto priority = [](level_enum level) {
    return value_of(journal_entry(level, proto::Event::Connected, {}, ""), "PRIORITY");
  };
  CHECK(priority(level_enum::debug) == "7");
  CHECK(priority(level_enum::info) == "6");
  CHECK(priority(level_enum::warn) == "4");
  CHECK(priority(level_enum::err) == "3");
  CHECK(priority(level_enum::critical) == "3");
}
