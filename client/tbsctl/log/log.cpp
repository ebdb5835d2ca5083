#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/log/commands.h"
#include "client/tbsctl/log/daemon_log.h"
#include "client/tbsctl/log/event_log.h"
#include "client/tbsctl/log/ima/measurement_list.h"
#include "client/tbsctl/log/log_sources.h"
#include "client/tbsctl/log/mismatch.h"
#include "client/tbsctl/log/replay.h"
#include "client/tbsctl/log/report.h"
#include "client/tbsctl/log/userspace/measure_log.h"
#include "client/tbsctl/pcr/read_nvpcrs.h"
#include "client/tbsctl/pcr/read_pcrs.h"
#include "proto/tpm/constants.h"

namespace tbs::ctl {
namespace {

struct LogOptions {
  std::string file;       // decode this one instead of the daemon's
  std::string ima;        // IMA's list as well
  std::string userspace;  // what systemd measured as well
  bool raw = false;       // print it as it is
  bool compare = true;    // with the PCRs of the TPM
};

// Everything that a report points to.
struct Reported {
  proto::Buffer firmware;
  std::vector<PcrValue> measured;
  std::vector<ReplayedPcr> replayed;
  LogReport report;
};

// Those of the firmware's log and of the TPM; where neither is there, the usual ones.
ImaBanks wanted_banks(const Reported& reported) {
  ImaBanks banks;
  for (const DigestKind& kind : reported.report.log.kinds) banks.push_back(kind.algorithm);
  for (const PcrValue& value : reported.measured) banks.push_back(value.algorithm);
  if (reported.report.log.events.empty() && reported.measured.empty()) {
    banks = {TPM2_ALG_SHA1, TPM2_ALG_SHA256};
  }
  std::ranges::sort(banks);
  banks.erase(std::ranges::unique(banks).begin(), banks.end());
  return banks;
}

Outcome add_later_logs(Reported& reported, const LogOptions& options) {
  if (!options.userspace.empty()) {
    const auto bytes = measure_log_of(options.userspace);
    if (!bytes) return std::unexpected(bytes.error());
    reported.report.add(read_measure_log(*bytes));
  }
  if (!options.ima.empty()) {
    const auto bytes = ima_list_of(options.ima);
    if (!bytes) return std::unexpected(bytes.error());
    reported.report.add(read_ima_list(*bytes, wanted_banks(reported)));
  }
  return {};
}

// A file that was named may be any of the logs.
void add_main_log(Reported& reported, const LogOptions& options) {
  const LogKind kind = options.file.empty() ? LogKind::Firmware : kind_of_log(reported.firmware);
  if (kind == LogKind::Firmware) reported.report.log = parse_event_log(reported.firmware);
  if (kind == LogKind::Systemd) reported.report.add(read_measure_log(reported.firmware));
  if (kind == LogKind::Ima) {
    reported.report.add(read_ima_list(reported.firmware, wanted_banks(reported)));
  }
}

// No machine has more; a log may name what it likes.
constexpr std::size_t kMostNvPcrs = 64;

std::set<std::uint32_t> nvpcrs_in(const LogReport& report) {
  std::set<std::uint32_t> numbers;
  for (const LaterRecord& record : report.later) {
    if (record.nv_number && numbers.size() < kMostNvPcrs) numbers.insert(*record.nv_number);
  }
  return numbers;
}

Outcome fill(Reported& reported, Conversation* daemon, const LogOptions& options) {
  reported.report = {};
  if (daemon != nullptr && options.compare) {
    auto values = all_pcrs(*daemon);
    if (!values) return std::unexpected(values.error());
    reported.measured = *std::move(values);
    reported.report.compared = true;
  }
  add_main_log(reported, options);
  if (auto added = add_later_logs(reported, options); !added) return added;
  if (reported.report.compared) {
    auto values = read_nvpcrs(*daemon, nvpcrs_in(reported.report));
    if (!values) return std::unexpected(values.error());
    std::ranges::move(*values, std::back_inserter(reported.measured));
  }
  reported.replayed = replay(reported.report.log, reported.report.later);
  reported.report.pcrs = compare(reported.replayed, reported.measured);
  return {};
}

// The kernel and systemd go on measuring: between the PCRs and the logs there may be something new.
Outcome fill_until_it_fits(Reported& reported, Conversation* daemon, const LogOptions& options) {
  constexpr int kTries = 3;
  for (int tries = 0; tries < kTries; ++tries) {
    if (auto filled = fill(reported, daemon, options); !filled) return filled;
    const bool growing = !options.ima.empty() || !options.userspace.empty();
    if (!growing || first_mismatch(reported.report) == nullptr) break;
  }
  return {};
}

Outcome run_log(const Environment& environment, const LogOptions& options) {
  Conversation* const daemon = environment.daemon;
  auto bytes = daemon != nullptr ? log_of_daemon(*daemon) : log_of_file(options.file);
  if (!bytes) return std::unexpected(bytes.error());
  if (options.raw) {
    const auto* const text = reinterpret_cast<const char*>(bytes->data());
    environment.console.bytes().write(text, std::ssize(*bytes));
    return {};
  }
  Reported reported{.firmware = *std::move(bytes)};
  if (auto filled = fill_until_it_fits(reported, daemon, options); !filled) return filled;
  print_report(environment.console, reported.report);
  return verdict(reported.report);
}

Outcome check_log_options(const LogOptions& options) {
  if (!options.raw || (options.ima.empty() && options.userspace.empty())) return {};
  return std::unexpected(
      Failure{.exit = Exit::Usage,
              .message = "--raw prints the firmware's log alone; leave out --ima and --userspace"});
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

Option file_option(const std::string& name, const std::string& about,
                   const std::shared_ptr<std::string>& into) {
  return {.name = name,
          .value = "FILE",
          .about = about,
          .read = read_file_name(into),
          .offer = {Offer::Kind::Files}};
}

}  // namespace

Subcommand log_subcommand() {
  const auto options = std::make_shared<LogOptions>();
  return {
      .name = "log",
      .summary = "Show what firmware measured, and compare it with the PCRs",
      .help =
          "A PCR is equal; earlier, when the TPM has not seen the last events of the log; "
          "different; or\nabsent, when the TPM has no such bank. The exit code is 1 when a log "
          "is damaged, or a PCR is not\nwhat the logs make of it.\n\n"
          "Example: what firmware, systemd and IMA measured, and whether the TPM has all of it\n"
          "  tbsctl log --userspace auto --ima auto",
      .options = {{.name = "--raw",
                   .about = "Print the log as it is",
                   .read = set(field(options, &LogOptions::raw)),
                   .not_with_json = true},
                  {.name = "--no-compare",
                   .about = "Do not read the PCRs of the TPM",
                   .read = set(field(options, &LogOptions::compare), false)},
                  file_option("-f,--file",
                              "Decode this file; the TPM is not asked; - is standard input",
                              field(options, &LogOptions::file)),
                  file_option("--ima", "Add the kernel's list of measured files; auto finds it",
                              field(options, &LogOptions::ima)),
                  file_option("--userspace", "Add what systemd measured after boot; auto finds it",
                              field(options, &LogOptions::userspace))},
      .prepare = [options] { return check_log_options(*options); },
      .needs = [options] { return needs_of(*options); },
      .run = [options](const Environment& environment) { return run_log(environment, *options); },
      .page = true};
}

}  // namespace tbs::ctl
