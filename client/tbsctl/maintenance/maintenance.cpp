// Leaves the TPM to a program that must have it alone, such as one that updates its firmware.

#include <chrono>
#include <string>
#include <vector>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/maintenance/attended_program.h"
#include "client/tbsctl/maintenance/commands.h"

namespace tbs::ctl {
namespace {

// timeout(1) has it so.
constexpr int kTimeOver = 124;
// The daemon takes the TPM back when a program that was ended has had time to end.
constexpr std::uint32_t kReserve = 2 * static_cast<std::uint32_t>(kTimeToEnd.count());

struct MaintenanceOptions {
  std::uint32_t seconds = 0;
  std::uint32_t patience = 30;
  std::vector<std::string> words;

  [[nodiscard]] bool is(const char* word) const { return words.size() == 1 && words[0] == word; }
};

Failure wrong_usage(std::string message) {
  return {.exit = Exit::Usage, .message = std::move(message) + "; see `tbsctl maintenance --help`"};
}

Outcome check(const MaintenanceOptions& options) {
  if (options.is("off")) {
    if (options.seconds == 0) return {};
    return std::unexpected(wrong_usage("off ends it now, and takes no --for"));
  }
  if (options.seconds == 0) {
    return std::unexpected(
        wrong_usage("maintenance needs --for: how long the program may have the TPM"));
  }
  if (options.seconds > proto::kMostMaintenanceSeconds - kReserve) {
    return std::unexpected(wrong_usage("a program can have the TPM for less than a day"));
  }
  return {};
}

Outcome ask(Conversation& daemon, const proto::Maintenance& request) {
  // As long as the command takes that is on the TPM.
  const auto reply = daemon.ask(request, Conversation::deadline_for(Patience::Command));
  if (!reply) return std::unexpected(reply.error());
  if (reply->status == proto::Status::Success) return {};
  Failure failure = tbs_failure("cannot have the TPM alone", reply->status);
  if (reply->status == proto::Status::TooManyResources) {
    failure.message =
        "cannot have the TPM alone: another program has it; `tbsctl maintenance off` ends that";
  } else if (reply->status == proto::Status::AccessDenied) {
    failure.message += "; it takes an administrator";
  }
  return std::unexpected(std::move(failure));
}

proto::Maintenance request_of(const MaintenanceOptions& options, bool stays) {
  const std::uint32_t seconds = options.seconds + (stays ? 0 : kReserve);
  return {.seconds = seconds,
          .patience = std::min(options.patience, seconds),
          .stays = stays ? 1U : 0U};
}

Outcome run_program_alone(Conversation& daemon, const MaintenanceOptions& options) {
  if (auto given = ask(daemon, request_of(options, false)); !given) return given;
  const auto end = run_attended(options.words, std::chrono::seconds(options.seconds));
  // The TPM is there for all when this program ends, also when its last request fails.
  (void)ask(daemon, {});
  if (!end) return std::unexpected(end.error());
  if (end->time_over) {
    return std::unexpected(Failure{.exit = static_cast<Exit>(kTimeOver),
                                   .message = options.words.front() + " was ended after " +
                                              std::to_string(options.seconds) + " s"});
  }
  if (end->code == 0) return {};
  return std::unexpected(Failure{.exit = static_cast<Exit>(end->code), .message = {}});
}

Outcome run_maintenance(const Environment& environment, const MaintenanceOptions& options) {
  Conversation& daemon = *environment.daemon;
  std::ostream& notes = environment.console.notes;
  if (options.is("off")) {
    if (auto ended = ask(daemon, {}); !ended) return ended;
    notes << "the TPM is the daemon's again\n";
    return {};
  }
  if (!options.is("on")) return run_program_alone(daemon, options);
  if (auto given = ask(daemon, request_of(options, true)); !given) return given;
  notes << "the TPM is free for " << options.seconds
        << " s; `tbsctl maintenance off` gives it back\n";
  return {};
}

}  // namespace

Subcommand maintenance_subcommand() {
  const auto options = std::make_shared<MaintenanceOptions>();
  return {
      .name = "maintenance",
      .summary = "Let a program have the TPM alone",
      .help =
          "For what cannot share the TPM: an update of its firmware, say. What runs on the TPM may "
          "end, then\nthe daemon puts away what clients have there and closes the device. When the "
          "program has ended, or its\ntime is over, the TPM is started anew, and the clients go "
          "on. Their commands wait meanwhile.\n\nThe exit code is that of the program, and 124 "
          "when its time was over. For administrators.\n\nExamples:\n"
          "  tbsctl maintenance --for 10m -- fwupdmgr update\n"
          "  tbsctl maintenance on --for 1h",
      .options = {{.name = "--for",
                   .value = "TIME",
                   .about = "How long at most: 90 or 90s, 10m, 2h",
                   .read = read_seconds(field(options, &MaintenanceOptions::seconds))},
                  {.name = "--clients-wait",
                   .value = "TIME",
                   .about = "How long commands of others wait before they fail with "
                            "TBS_E_SERVICE_START_PENDING (30s)",
                   .read = read_seconds(field(options, &MaintenanceOptions::patience))},
                  {.name = "COMMAND",
                   .about = "The program and its arguments, behind --; or on, or off",
                   .read = read_list(field(options, &MaintenanceOptions::words)),
                   .required = true,
                   .repeated = true,
                   .offer = {.kind = Offer::Kind::Words, .words = {"on", "off"}}}},
      .prepare = [options] { return check(*options); },
      .needs = always(kObserver),
      .run = [options](
                 const Environment& environment) { return run_maintenance(environment, *options); },
      .json = JsonOutput::None};
}

}  // namespace tbs::ctl
