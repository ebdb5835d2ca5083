#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/connection/connect.h"
#include "client/tbsctl/health/ask_health.h"
#include "client/tbsctl/health/commands.h"
#include "client/tbsctl/text/colour.h"
#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

struct HealthOptions {
  // Leaves time for the start and the end of the program within the second of a probe.
  std::uint32_t milliseconds = 800;
  bool passive = false;
};

nlohmann::ordered_json as_json(const HealthFacts& facts, const Health& health) {
  nlohmann::ordered_json reasons = nlohmann::ordered_json::array();
  for (const HealthReason& reason : health.reasons) {
    reasons.push_back(
        {{"level", health_text(reason.level)}, {"what", reason.what}, {"advice", reason.advice}});
  }
  nlohmann::ordered_json json = {{"health", health_text(health.level)},
                                 {"reasons", reasons},
                                 {"version", nullptr},
                                 {"device", nullptr},
                                 {"device_state", nullptr},
                                 {"tpm", reply_text(facts.tpm)}};
  if (facts.status) {
    json["version"] = facts.status->version;
    json["device"] = facts.status->device;
    json["device_state"] = device_state_text(facts.status->device_state);
  }
  return json;
}

Colour health_colour(HealthLevel level) {
  if (level == HealthLevel::Fine) return Colour::Good;
  return level == HealthLevel::Degraded ? Colour::Caution : Colour::Bad;
}

// What follows the word in "degraded: what; what to do; what else; what to do about that"
std::string rest_of_line(const HealthFacts& facts, const Health& health) {
  std::string line;
  std::string before = ": ";
  for (const HealthReason& reason : health.reasons) {
    line += before + printable(reason.what);
    if (!reason.advice.empty()) line += "; " + printable(reason.advice);
    before = "; ";
  }
  if (health.reasons.empty() && facts.status) {
    line += ": the TPM " + printable(facts.status->device) + " is ready";
    if (facts.tpm == TpmReply::Answered) line += " and answers";
    if (facts.tpm == TpmReply::Busy) line += " and busy";
  }
  return line;
}

Exit exit_for(HealthLevel level) {
  return level == HealthLevel::Down ? Exit::Down : Exit::Degraded;
}

}  // namespace

Outcome report_health(const Console& console, const HealthFacts& facts) {
  const Health health = judge_health(facts);
  if (console.json) {
    print_json(console.out, as_json(facts, health));
  } else {
    console.out << Coloured{health_colour(health.level), health_text(health.level)}
                << rest_of_line(facts, health) << '\n';
  }
  if (health.level == HealthLevel::Fine) return {};
  return std::unexpected(Failure{.exit = exit_for(health.level), .message = {}});
}

Subcommand health_subcommand() {
  const auto options = std::make_shared<HealthOptions>();
  return {.name = "health",
          .summary = "Say in one line whether the TPM can be used, for probes",
          .help =
              "Ends with 0 when all is fine, 1 when something is wrong but the TPM may be used, 2 "
              "when it cannot be\nused. It takes less than a second, also when tbsd or the TPM "
              "hangs. The TPM is sent one short command.\n\nExample:\n"
              "  tbsctl health || systemctl restart my-service",
          .options = {{.name = "--timeout",
                       .value = "MILLISECONDS",
                       .about = "How long it may take, 800 without this",
                       .read = read_number<std::uint32_t>(
                           field(options, &HealthOptions::milliseconds), 1)},
                      {.name = "--passive",
                       .about = "Ask tbsd alone, and send the TPM nothing",
                       .read = set(field(options, &HealthOptions::passive))}},
          .needs = always(kNoDaemon),
          .run = [options](const Environment& environment) {
            const auto connect = [&environment](client::Deadline deadline) {
              return connect_to_daemon(environment.socket, deadline);
            };
            return report_health(
                environment.console,
                ask_health(connect, {.time = std::chrono::milliseconds(options->milliseconds),
                                     .ask_tpm = !options->passive}));
          }};
}

}  // namespace tbs::ctl
