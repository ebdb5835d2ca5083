// What has happened lately, and what happens from now on, as the daemon tells it over the socket.
// The journal has it too, for longer: journalctl(1) is who reads that best.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/status/commands.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/named.h"
#include "client/tbsctl/text/timestamp.h"
#include "client/tbsctl/tpm/command_name.h"
#include "proto/event_names.h"

namespace tbs::ctl {
namespace {

constexpr Names<std::uint32_t, 4> kSeverities = {
    {{3, "error"}, {4, "warning"}, {6, "info"}, {7, "debug"}}};

const proto::EventName* event_named(std::string_view name) {
  const auto* const found = std::ranges::find(proto::kEventNames, name, &proto::EventName::name);
  return found == proto::kEventNames.end() ? nullptr : found;
}

// Of a daemon that is newer than this program it may be a number.
std::string event_text(std::uint32_t event) {
  if (event >= proto::kEventNames.size()) return "event " + std::to_string(event);
  return std::string(proto::name_of(static_cast<proto::Event>(event)).name);
}

nlohmann::ordered_json event_json(const proto::EventEntry& entry) {
  nlohmann::ordered_json json = {{"number", entry.number},
                                 {"time", utc_time(entry.number)},
                                 {"event", event_text(entry.event)},
                                 {"severity", nullptr},
                                 {"uid", nullptr},
                                 {"pid", nullptr},
                                 {"program", nullptr},
                                 {"tenant", nullptr},
                                 {"context", nullptr},
                                 {"command", nullptr},
                                 {"rule", nullptr},
                                 {"text", entry.text}};
  if (const auto severity = name_of(kSeverities, entry.severity)) json["severity"] = *severity;
  if (entry.uid != proto::kNobody) {
    json["uid"] = entry.uid;
    json["pid"] = entry.pid;
    json["program"] = entry.program;
  }
  if (!entry.tenant.empty()) json["tenant"] = entry.tenant;
  if (entry.context != 0) json["context"] = entry.context;
  if (entry.command != 0) {
    json["command"] = {{"code", entry.command}, {"name", command_name(entry.command)}};
  }
  if (!entry.rule.empty()) json["rule"] = entry.rule;
  return json;
}

void print_event(const Console& console, const proto::EventEntry& entry, bool utc) {
  if (console.json) {
    print_json_line(console.out, event_json(entry));
  } else {
    console.out << (utc ? utc_time(entry.number) : local_time(entry.number)) << "  "
                << event_text(entry.event) << ": " << printable(entry.text) << '\n';
  }
}

// Those of one name are written, or all when none was named.
bool is_wanted(const EventOptions& options, const proto::EventEntry& entry) {
  return options.names.empty() ||
         std::ranges::find(options.names, event_text(entry.event)) != options.names.end();
}

Outcome follow_journal(const Console& console, const EventOptions& options) {
  std::vector<std::string> words = {"journalctl", "--follow", "--lines=20",
                                    console.json ? "--output=json" : "--output=short-iso"};
  if (options.utc) words.emplace_back("--utc");
  // Matches of one field are alternatives.
  for (const proto::EventName& event : proto::kEventNames) {
    if (options.names.empty() ||
        std::ranges::find(options.names, event.name) != options.names.end()) {
      words.push_back("MESSAGE_ID=" + std::string(event.message_id));
    }
  }
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  return std::unexpected(
      Failure{.exit = Exit::Failed,
              .message = std::string("cannot run journalctl: ") + std::strerror(errno)});
}

Reader read_event_name(const std::shared_ptr<EventOptions>& options) {
  return [options](const std::string& text) -> std::expected<void, std::string> {
    if (event_named(text) == nullptr) {
      std::string names;
      for (const proto::EventName& event : proto::kEventNames) {
        names += names.empty() ? "" : ", ";
        names += event.name;
      }
      return std::unexpected("there is no event '" + text + "'; there are " + names);
    }
    options->names.push_back(text);
    return {};
  };
}

std::vector<Option> event_options(const std::shared_ptr<EventOptions>& options) {
  Offer offer{Offer::Kind::Words, {}};
  for (const proto::EventName& event : proto::kEventNames) offer.words.emplace_back(event.name);
  return {{.name = "-f,--follow",
           .about = "Go on with what happens, until interrupted",
           .read = set(field(options, &EventOptions::follow))},
          {.name = "--event",
           .value = "NAME",
           .about = "These alone, by their name in the output",
           .read = read_event_name(options),
           .repeated = true,
           .offer = offer},
          {.name = "--utc",
           .about = "Times in UTC, not in the local time zone",
           .read = set(field(options, &EventOptions::utc))},
          {.name = "--journal",
           .about = "Follow them in the journal, which has those of earlier starts too",
           .read = set(field(options, &EventOptions::journal))}};
}

}  // namespace

Outcome run_events(Conversation& daemon, const Console& console, const EventOptions& options) {
  proto::ReadEvents request;
  while (true) {
    // What waits for an event waits as long as it takes.
    const auto patience = request.wait != 0 ? Patience::Command : Patience::Answer;
    const auto page = daemon.ask(request, Conversation::deadline_for(patience));
    if (!page) return std::unexpected(page.error());
    if (page->status != proto::Status::Success) {
      return std::unexpected(tbs_failure("cannot read the events", page->status));
    }
    if (page->lost != 0) console.notes << "tbsctl: some events are no longer kept\n";
    for (const proto::EventEntry& entry : page->entries) {
      if (entry.number <= request.after) {
        return std::unexpected(Failure{.exit = Exit::Failed,
                                       .message = "tbsd gives events out of order; are tbsd and "
                                                  "tbsctl of the same version?"});
      }
      request.after = entry.number;
      if (is_wanted(options, entry)) print_event(console, entry, options.utc);
    }
    console.out.flush();
    const bool more = page->more != 0 && !page->entries.empty();
    if (!more && !options.follow) return {};
    request.wait = more ? 0 : 1;
  }
}

Subcommand events_subcommand() {
  const auto options = std::make_shared<EventOptions>();
  return {
      .name = "events",
      .summary = "Tell what has happened: refused, blocked, locked out, changed, lost",
      .help =
          "An administrator sees all, everybody else what their own programs caused. The daemon "
          "keeps the last 1024;\nthe journal has more. With --json, one object a line.\n\n"
          "Example:\n  tbsctl events --follow --event lockout --event blocked",
      .options = event_options(options),
      .needs = [options] { return options->journal ? kNoDaemon : kObserver; },
      .run =
          [options](const Environment& environment) {
            return options->journal
                       ? follow_journal(environment.console, *options)
                       : run_events(*environment.daemon, environment.console, *options);
          },
      .json = JsonOutput::Lines,
  };
}

}  // namespace tbs::ctl
