#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include <sys/stat.h>

#include "client/tbsctl/capture/capture_output.h"
#include "client/tbsctl/capture/commands.h"
#include "client/tbsctl/capture/masked.h"
#include "client/tbsctl/command_line/readers.h"
#include "proto/captured_exchange.h"

namespace tbs::ctl {
namespace {

using proto::CapturedExchange;

Failure broken_page() {
  return {.exit = Exit::Failed,
          .message = "tbsd's capture cannot be read; are tbsd and tbsctl of the same version?"};
}

class Capturing {
 public:
  Capturing(Conversation& daemon, const CaptureOptions& options, CaptureOutput& output)
      : daemon_(daemon), options_(options), output_(output) {}

  // Until enough has come.
  Outcome run() {
    proto::ReadCapture request{.after = 0, .context = options_.context};
    while (true) {
      const auto patience = request.after == 0 ? Patience::Answer : Patience::Command;
      const auto page = daemon_.ask(request, Conversation::deadline_for(patience));
      if (!page) return std::unexpected(page.error());
      if (page->status == proto::Status::AccessDenied) {
        return std::unexpected(
            Failure{.exit = Exit::Tbs,
                    .message = "cannot capture: that is for administrators (docs/security.md)"});
      }
      if (page->status != proto::Status::Success) {
        return std::unexpected(tbs_failure("cannot capture", page->status));
      }
      lost_ += page->lost;
      if (page->last == 0) return std::unexpected(broken_page());
      request.after = page->last;
      if (const auto written = write_all(page->exchanges); !written) return written;
      if (enough()) return {};
    }
  }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  [[nodiscard]] bool enough() const { return options_.count != 0 && seen_ >= options_.count; }

  Outcome write_all(proto::Bytes exchanges) {
    proto::ByteReader reader(exchanges);
    while (!reader.at_end() && !enough()) {
      auto exchange = proto::read_exchange(reader);
      if (!exchange || exchange->answered_us < exchange->submitted_us) {
        return std::unexpected(broken_page());
      }
      ++seen_;
      write_one(*std::move(exchange));
    }
    return {};
  }

  void write_one(CapturedExchange exchange) {
    proto::Buffer command;
    proto::Buffer response;
    if (!options_.secrets) {
      command = masked_command(exchange.command);
      response = masked_response(exchange.response, code_in(exchange.command));
      exchange.command = command;
      exchange.response = response;
    }
    output_.write(exchange);
  }

  Conversation& daemon_;
  const CaptureOptions& options_;
  CaptureOutput& output_;
  std::uint64_t seen_ = 0;
  std::uint64_t lost_ = 0;
};

Outcome capture_to(Conversation& daemon, const Console& console, const CaptureOptions& options,
                   CaptureOutput& output) {
  Capturing capturing(daemon, options, output);
  Outcome outcome = capturing.run();
  if (capturing.lost() != 0) {
    console.notes << "tbsctl: " << capturing.lost() << " exchanges came too fast and are missing\n";
  }
  return outcome;
}

Outcome check_capture_options(const CaptureOptions& options) {
  if (!options.utc || options.file.empty()) return {};
  return std::unexpected(
      Failure{.exit = Exit::Usage,
              .message = "--utc is about lines; the times in a pcapng file are in no time zone"});
}

}  // namespace

Outcome run_capture(Conversation& daemon, const Console& console, const CaptureOptions& options) {
  if (options.file.empty()) {
    return capture_to(daemon, console, options, *capture_lines(console, options.utc));
  }
  if (options.file == "-") {
    return capture_to(daemon, console, options, *packet_file(console.bytes()));
  }
  // For nobody else's eyes.
  ::umask(S_IRWXG | S_IRWXO);
  std::ofstream file(options.file, std::ios::binary | std::ios::trunc);
  if (!file) {
    return std::unexpected(
        Failure{.exit = Exit::Failed, .message = "cannot write " + options.file});
  }
  return capture_to(daemon, console, options, *packet_file(file));
}

Subcommand capture_subcommand() {
  const auto options = std::make_shared<CaptureOptions>();
  return {
      .name = "capture",
      .summary = "Record the commands of clients and the responses, for Wireshark",
      .help =
          "For administrators, until interrupted. Authorization values, keys and plain data are "
          "replaced by\nzeros unless --secrets is given. What comes faster than it is read is "
          "lost, and counted.\n"
          "\nExample:\n  tbsctl capture -w - | wireshark -k -i -",
      .options = {{.name = "--context",
                   .value = "ID",
                   .about = "Of this context alone",
                   .read = read_number(field(options, &CaptureOptions::context)),
                   .offer = {Offer::Kind::Contexts, {}}},
                  {.name = "-w",
                   .value = "FILE",
                   .about = "Write a pcapng file, - for standard output, in place of lines",
                   .read = read_text(field(options, &CaptureOptions::file)),
                   .not_with_json = true,
                   .offer = {Offer::Kind::Files, {}}},
                  {.name = "--count",
                   .value = "N",
                   .about = "End after so many commands",
                   .read = read_number(field(options, &CaptureOptions::count), std::uint64_t{1})},
                  {.name = "--secrets",
                   .about = "Replace nothing",
                   .read = set(field(options, &CaptureOptions::secrets))},
                  {.name = "--utc",
                   .about = "Times of lines in UTC, not in the local time zone",
                   .read = set(field(options, &CaptureOptions::utc))}},
      .prepare = [options] { return check_capture_options(*options); },
      .needs = always(kObserver),
      .run =
          [options](const Environment& environment) {
            return run_capture(*environment.daemon, environment.console, *options);
          },
      .json = JsonOutput::Lines,
      .page = true};
}

}  // namespace tbs::ctl
