#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/log/commands.h"
#include "client/tbsctl/log/daemon_log.h"
#include "client/tbsctl/log/event_log.h"
#include "client/tbsctl/log/replay.h"
#include "client/tbsctl/log/report.h"
#include "client/tbsctl/text/input_file.h"

namespace tbs::ctl {
namespace {

constexpr std::size_t kLargestFile = 64U << 20;

struct LogOptions {
  std::string file;     // decode this one instead of the daemon's
  bool raw = false;     // print it as it is
  bool compare = true;  // with the PCRs of the TPM
};

std::expected<proto::Buffer, Failure> log_of_file(const std::string& path) {
  const bool standard_input = path == "-";
  auto log =
      standard_input ? read_standard_input(kLargestFile) : read_input_file(path, kLargestFile);
  if (log && log->empty()) {
    return std::unexpected(Failure{
        .exit = Exit::Failed, .message = (standard_input ? "standard input" : path) + " is empty"});
  }
  return log;
}

Outcome run_log(const Environment& environment, const LogOptions& options) {
  Conversation* const daemon = environment.daemon;
  const auto bytes = daemon != nullptr ? log_of_daemon(*daemon) : log_of_file(options.file);
  if (!bytes) return std::unexpected(bytes.error());
  if (options.raw) {
    const auto* const text = reinterpret_cast<const char*>(bytes->data());
    environment.console.bytes().write(text, std::ssize(*bytes));
    return {};
  }
  LogReport report{.log = parse_event_log(*bytes), .pcrs = {}};
  const auto replayed = replay(report.log);
  std::vector<PcrValue> measured;
  if (daemon != nullptr && options.compare) {
    auto values = all_pcrs(*daemon);
    if (!values) return std::unexpected(values.error());
    measured = *std::move(values);
    report.compared = true;
  }
  report.pcrs = compare(replayed, measured);
  print_report(environment.console, report);
  return verdict(report);
}

Reader read_file_name(const std::shared_ptr<std::string>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    if (text.empty()) return std::unexpected("the name of a file is missing");
    *into = text;
    return {};
  };
}

Needs needs_of(const LogOptions& options) {
  if (!options.file.empty()) return kNoDaemon;
  return options.compare && !options.raw ? kContext : kObserver;
}

}  // namespace

Subcommand log_subcommand() {
  const auto options = std::make_shared<LogOptions>();
  return {
      .name = "log",
      .summary = "Show what firmware measured, and compare it with the PCRs",
      .help =
          "A PCR is equal; earlier, when the TPM has not seen the last events of the log; "
          "different; or\nabsent, when the TPM has no such bank. The exit code is 1 when the "
          "log is damaged, or a PCR is not\nwhat the log makes of it.\n\nExample:\n"
          "  tbsctl --json log | jq .first_mismatch",
      .options = {{.name = "--raw",
                   .about = "Print the log as it is",
                   .read = set(field(options, &LogOptions::raw)),
                   .not_with_json = true},
                  {.name = "--no-compare",
                   .about = "Do not read the PCRs of the TPM",
                   .read = set(field(options, &LogOptions::compare), false)},
                  {.name = "-f,--file",
                   .value = "FILE",
                   .about = "Decode this file; the TPM is not asked; - is standard input",
                   .read = read_file_name(field(options, &LogOptions::file)),
                   .offer = {Offer::Kind::Files}}},
      .needs = [options] { return needs_of(*options); },
      .run = [options](const Environment& environment) { return run_log(environment, *options); }};
}

}  // namespace tbs::ctl
