#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/explain/commands.h"
#include "client/tbsctl/explain/explain_input.h"
#include "client/tbsctl/explain/explain_report.h"
#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

using dissect::Dissection;

struct ExplainOptions {
  std::string text;
  std::string command;  // that was answered
  bool secrets = false;
};

std::unexpected<Failure> no_such_code(const std::string& text) {
  return std::unexpected(
      Failure{.exit = Exit::Failed, .message = "no table has the code " + printable(text)});
}

Outcome explain_codes(const Console& console, const std::vector<FamilyCode>& codes,
                      const ExplainOptions& options) {
  if (codes.empty()) return no_such_code(options.text);
  std::uint32_t command = 0;
  if (!options.command.empty()) {
    const auto named = command_of(options.command, Dissection::Family::Tpm20);
    if (!named) {
      return std::unexpected(Failure{
          .exit = Exit::Usage,
          .message = "--response-of: there is no command '" + printable(options.command) + "'"});
    }
    command = *named;
  }
  auto readings = nlohmann::ordered_json::array();
  for (const FamilyCode& code : codes) {
    const CodeReading reading = explain_code(code, command);
    if (console.json) {
      readings.push_back(code_as_json(reading));
      continue;
    }
    if (&code != codes.data()) console.out << "\nor\n\n";
    print_code(console.out, reading);
  }
  if (console.json) print_json(console.out, {{"readings", std::move(readings)}});
  return {};
}

// The response code of a response that is an error.
std::vector<CodeReading> error_in(const Dissection& message, const ExplainOptions& options) {
  if (message.direction != Dissection::Direction::Response || message.code == 0) return {};
  const bool old = message.family == Dissection::Family::Tpm12;
  const auto command =
      options.command.empty() ? std::nullopt : command_of(options.command, message.family);
  return {explain_code({old ? CodeFamily::Tpm12 : CodeFamily::Tpm20, message.code},
                       old ? 0 : command.value_or(0))};
}

Outcome faults_of(const std::vector<Dissection>& messages) {
  std::string text;
  for (const Dissection& message : messages) {
    for (const dissect::Fault& fault : message.faults) {
      text +=
          (text.empty() ? "byte " : "; byte ") + std::to_string(fault.offset) + ": " + fault.text;
    }
  }
  if (text.empty()) return {};
  return std::unexpected(Failure{.exit = Exit::Failed, .message = text});
}

Outcome explain_bytes(const Console& console, proto::Bytes bytes, const ExplainOptions& options) {
  const auto messages = dissect_bytes(bytes, options.command);
  if (!messages) return std::unexpected(messages.error());
  auto readings = nlohmann::ordered_json::array();
  for (const Dissection& message : *messages) {
    const auto errors = error_in(message, options);
    if (console.json) {
      readings.push_back(message_as_json(bytes, message, options.secrets));
      for (const CodeReading& error : errors) readings.back()["error"] = code_as_json(error);
      continue;
    }
    if (&message != messages->data()) console.out << "\nor\n\n";
    print_message(console.out, bytes, message, options.secrets);
    for (const CodeReading& error : errors) {
      console.out << '\n';
      print_code(console.out, error);
    }
  }
  if (console.json) print_json(console.out, {{"readings", std::move(readings)}});
  return faults_of(*messages);
}

Outcome run_explain(const Console& console, const ExplainOptions& options) {
  const auto input = read_explain_input(options.text);
  if (!input) return std::unexpected(input.error());
  if (const auto* const codes = std::get_if<std::vector<FamilyCode>>(&*input)) {
    return explain_codes(console, *codes, options);
  }
  return explain_bytes(console, std::get<proto::Buffer>(*input), options);
}

}  // namespace

Subcommand explain_subcommand() {
  const auto options = std::make_shared<ExplainOptions>();
  return {
      .name = "explain",
      .summary = "Say what a code, a command or a response means",
      .help =
          R"(Needs neither tbsd nor a TPM. A code is a number, in decimal or hexadecimal, or a name: of TPM 2.0
and 1.2, of tpm2-tss, of TBS, or of the system (EBUSY). Bytes in hexadecimal are a command or a
response. What can be read in several ways is told in each. Exits with 1 when the bytes are not in
order, and says where.

Examples:
  tbsctl explain 0x922
  tbsctl explain TPM_RC_LOCKOUT
  tbsctl explain 80010000000c0000017b0010
  tbsctl explain 8001 0000000a 000002c4 --response-of Create)",
      .options = {{.name = "TEXT",
                   .about = "A code or its name, or bytes in hexadecimal; - reads standard "
                            "input",
                   .read = read_words(field(options, &ExplainOptions::text)),
                   .repeated = true},
                  {.name = "--response-of",
                   .value = "COMMAND",
                   .about = "The command that was answered so: its name, number or bytes",
                   .read = read_text(field(options, &ExplainOptions::command))},
                  {.name = "--secrets",
                   .about = "Show authorization values, keys and plain data as well",
                   .read = set(field(options, &ExplainOptions::secrets))}},
      .needs = always(kNoDaemon),
      .run =
          [options](const Environment& environment) {
            return run_explain(environment.console, *options);
          },
      .page = true};
}

}  // namespace tbs::ctl
