// The daemon's events are in the journal, and journalctl(1) is who reads that best.

#include <cerrno>
#include <cstring>
#include <vector>

#include <unistd.h>

#include "client/tbsctl/status/commands.h"
#include "proto/event_names.h"

namespace tbs::ctl {

Outcome run_events(const Console& console) {
  std::vector<std::string> words = {"journalctl", "--follow", "--lines=20",
                                    console.json ? "--output=json" : "--output=short-iso"};
  // Matches of one field are alternatives.
  for (const proto::EventName& event : proto::kEventNames) {
    words.push_back("MESSAGE_ID=" + std::string(event.message_id));
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

Subcommand events_subcommand() {
  return {.name = "events",
          .summary = "Follow what the daemon tells about clients in the journal",
          .help =
              "Who was refused, blocked, cancelled or locked out, and who changed the TPM's state. "
              "The last twenty\n"
              "come first. journalctl(1) shows them.",
          .needs = always(kNoDaemon),
          .run = [](const Environment& environment) { return run_events(environment.console); }};
}

}  // namespace tbs::ctl
