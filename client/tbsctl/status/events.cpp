// The daemon's events are in the journal, and journalctl(1) is who reads that best.

#include <cerrno>
#include <cstring>
#include <vector>

#include <unistd.h>

#include "client/tbsctl/command_line/commands.h"
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

}  // namespace tbs::ctl
