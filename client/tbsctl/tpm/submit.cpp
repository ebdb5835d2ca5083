#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/response_code/rc_text.h"
#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/priority.h"
#include "client/tbsctl/tpm/command_bytes.h"
#include "client/tbsctl/tpm/commands.h"

namespace tbs::ctl {
namespace {

struct SubmitOptions {
  std::string hex;
  std::string file;
  SubmitRequest request{.command = {}, .priority = kPriorityNormal};
};

nlohmann::ordered_json as_json(proto::Bytes response, const proto::TpmHeader& header,
                               const RcText& rc) {
  return {{"response", to_hex(response)},
          {"tag", header.tag},
          {"response_code", header.code},
          {"name", rc.name},
          {"where", rc.where},
          {"text", rc.text}};
}

Failure submit_failure(const SubmitRequest& request, proto::Status status) {
  Failure failure = tbs_failure("tbsd did not run the command", status);
  if (request.locality != 0 && status == proto::Status::AccessDenied) {
    failure.message += "; localities other than 0 are not for everybody";
  } else if (request.locality != 0 && status == proto::Status::BadParameter) {
    failure.message += "; there is no locality " + std::to_string(request.locality);
  }
  return failure;
}

void print_response(const Console& console, proto::Bytes response, bool raw) {
  if (raw) {
    const std::string bytes(response.begin(), response.end());
    console.bytes() << bytes;
  } else {
    console.out << to_hex(response) << '\n';
  }
}

Outcome read_command(SubmitOptions& options) {
  if (options.hex == "-") options.hex.clear(), options.file = "-";
  if (options.hex.empty() == options.file.empty()) {
    return std::unexpected(
        Failure{.exit = Exit::Usage,
                .message = "submit needs the command, either as HEX or with -f FILE; see `tbsctl "
                           "submit --help`"});
  }
  auto command =
      options.file.empty() ? command_from_hex(options.hex) : command_from_file(options.file);
  if (!command) return std::unexpected(std::move(command.error()));
  options.request.command = *std::move(command);
  return {};
}

std::vector<Option> submit_options(const std::shared_ptr<SubmitOptions>& options) {
  const auto request = field(options, &SubmitOptions::request);
  return {{.name = "HEX",
           .about = "The command in hexadecimal; - reads standard input",
           .read = read_words(field(options, &SubmitOptions::hex)),
           .repeated = true},
          {.name = "-f,--file",
           .value = "FILE",
           .about = "Read the command from a file, in hexadecimal or as bytes; - is standard input",
           .read = read_text(field(options, &SubmitOptions::file)),
           .offer = {Offer::Kind::Files}},
          priority_option(field(request, &SubmitRequest::priority)),
          locality_option(field(request, &SubmitRequest::locality)),
          {.name = "--raw",
           .about = "Print the response as bytes instead of hexadecimal",
           .read = set(field(request, &SubmitRequest::raw)),
           .not_with_json = true}};
}

}  // namespace

Outcome run_submit(Conversation& daemon, const Console& console, const SubmitRequest& request) {
  // It takes as long as it takes: that is the user's to decide.
  const auto result = daemon.ask(
      proto::Submit{
          .locality = request.locality, .priority = request.priority, .command = request.command},
      Conversation::deadline_for(Patience::Command));
  if (!result) return std::unexpected(result.error());
  if (result->status != proto::Status::Success) {
    return std::unexpected(submit_failure(request, result->status));
  }
  const auto header = proto::read_tpm_header(result->response);
  if (!header) {
    return std::unexpected(
        Failure{.exit = Exit::Failed,
                .message = "the response has no valid TPM header: " + to_hex(result->response)});
  }
  const RcText rc = describe_response(*header);
  if (console.json) {
    print_json(console.out, as_json(result->response, *header, rc));
  } else {
    print_response(console, result->response, request.raw);
  }
  const std::string line = "the TPM answered " + rc_line(header->code, rc);
  if (header->code != 0) return std::unexpected(Failure{.exit = Exit::Tpm, .message = line});
  if (!console.json) console.notes << "tbsctl: " << line << '\n';
  return {};
}

Subcommand submit_subcommand() {
  const auto options = std::make_shared<SubmitOptions>();
  return {.name = "submit",
          .summary = "Send one TPM command, print its response",
          .help =
              R"(The response goes to standard output, its response code in words to standard error.
White space, colons, commas and 0x in the hexadecimal text are skipped.

Examples:
  tbsctl submit 80 01 00:00:00:0c 0x0000017b 0010
  tbsctl submit -f command.bin --raw > response.bin
  echo 80010000000c0000017b0010 | tbsctl submit -)",
          .options = submit_options(options),
          .prepare = [options] { return read_command(*options); },
          .needs = always(kContext),
          .run =
              [options](const Environment& environment) {
                return run_submit(*environment.daemon, environment.console, options->request);
              }};
}

}  // namespace tbs::ctl
