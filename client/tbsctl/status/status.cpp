#include <nlohmann/json.hpp>

#include "client/tbsctl/status/commands.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/table.h"

namespace tbs::ctl {
namespace {

nlohmann::ordered_json as_json(const proto::DaemonStatusReply& status) {
  return {{"version", status.version},
          {"device", status.device},
          {"device_state", device_state_text(status.device_state)},
          {"problem", status.problem},
          {"advice", status.advice},
          {"uptime_us", status.uptime_us},
          {"contexts", status.contexts},
          {"queued", status.queued},
          {"commands", status.commands},
          {"transmitted", status.transmitted},
          {"canceled", status.canceled},
          {"failed", status.failed},
          {"reopened", status.reopened}};
}

void print_for_people(std::ostream& out, const proto::DaemonStatusReply& status) {
  const std::string device =
      printable(status.device) + " (" + std::string(device_state_text(status.device_state)) + ")";
  print_properties(out, {{"Version", printable(status.version)},
                         {"Up for", duration(status.uptime_us)},
                         {"Device", {device, device_state_colour(status.device_state)}},
                         {"Device lost", std::to_string(status.reopened) + " times"},
                         {"Contexts", std::to_string(status.contexts)},
                         {"Commands waiting", std::to_string(status.queued)},
                         {"Commands answered", std::to_string(status.commands)},
                         {"Sent to the TPM", std::to_string(status.transmitted)},
                         {"Cancelled", std::to_string(status.canceled)},
                         {"Failed", std::to_string(status.failed)}});
  if (status.device_state == proto::DeviceState::Ready && !status.problem.empty()) {
    print_properties(out, {{"Problem", {printable(status.problem), Colour::Caution}},
                           {"What to do", printable(status.advice)}});
  }
}

Outcome verdict(const proto::DaemonStatusReply& status) {
  if (status.device_state == proto::DeviceState::Ready) return {};
  std::string message = "the TPM is not ready: ";
  message += status.problem.empty() ? "it is still being started" : printable(status.problem);
  if (!status.advice.empty()) message += "; " + printable(status.advice);
  return std::unexpected(Failure{.exit = Exit::NotReady, .message = std::move(message)});
}

}  // namespace

Outcome run_status(Conversation& daemon, const Console& console) {
  const auto status = daemon.ask(proto::DaemonStatus{});
  if (!status) return std::unexpected(status.error());
  if (status->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("cannot get the status", status->status));
  }
  if (console.json) {
    print_json(console.out, as_json(*status));
  } else {
    print_for_people(console.out, *status);
  }
  return verdict(*status);
}

Subcommand status_subcommand() {
  return {
      .name = "status",
      .summary = "Show the daemon's health",
      .help =
          "Its version, how long it runs, whether its device is ready and how often it was "
          "lost, and what it has\n"
          "counted since it was started. When the TPM is not ready, it says why and ends with exit "
          "code 6.\n\nExample:\n  tbsctl --json status | jq .device_state",
      .needs = always(kObserver),
      .run = [](const Environment& environment) {
        return run_status(*environment.daemon, environment.console);
      }};
}

}  // namespace tbs::ctl
