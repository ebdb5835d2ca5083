#include "client/tbsctl/contexts/context_text.h"

#include <nlohmann/json.hpp>

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/named.h"
#include "client/tbsctl/tpm/command_name.h"

namespace tbs::ctl {
namespace {

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

}  // namespace

std::string context_states() {
  return listed(kStates);
}

std::string context_state(const proto::ContextEntry& entry) {
  return std::string(*name_of(kStates, state_of(entry)));
}

Colour context_colour(const proto::ContextEntry& entry) {
  switch (state_of(entry)) {
    case State::Running:
      return Colour::Good;
    case State::Detached:
      return Colour::Caution;
    case State::Idle:
    case State::Waiting:
      break;
  }
  return Colour::Plain;
}

std::string activity_text(const proto::ContextEntry& entry) {
  if (!is_on_the_tpm(entry)) return "-";
  return command_name(entry.command) + " for " + duration(entry.running_us) +
         (state_of(entry) == State::Detached ? " (cancelled, the TPM has not ended it)" : "");
}

nlohmann::ordered_json context_json(const proto::ContextEntry& entry, UserNames& users) {
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
                                 {"state", context_state(entry)},
                                 {"command", nullptr},
                                 {"running_us", nullptr}};
  if (const auto tenant = users.tenant(entry.uid)) json["tenant"] = *tenant;
  if (is_on_the_tpm(entry)) {
    json["command"] = {{"code", entry.command}, {"name", command_name(entry.command)}};
    json["running_us"] = entry.running_us;
  }
  return json;
}

}  // namespace tbs::ctl
