#include "client/tbsctl/command_line/command_line.h"

#include <algorithm>
#include <cctype>

#include <CLI/CLI.hpp>

#include "client/socket_path.h"
#include "client/tbsctl/build_features.h"
#include "client/tbsctl/command_line/readers.h"
#include "client/tbsctl/command_line/subcommands.h"
#include "client/tbsctl/command_line/suggestion.h"
#include "version.h"

namespace tbs::ctl {
namespace {

constexpr const char* kAbout =
    "Shows what tbsd and its TPM do, cancels commands, and sends TPM commands of its own and of "
    "others.";

constexpr const char* kFooter = R"(Examples:
  tbsctl doctor                        what is wrong on this machine, and what to do
  tbsctl health                        can the TPM be used? one line and an exit code, for probes
  tbsctl status                        is the daemon well, and its TPM there?
  tbsctl contexts                      who uses the TPM, and what runs
  tbsctl top                           the same live, by TPM time
  tbsctl limits                        is anybody near a limit?
  tbsctl cancel 17                     cancel what context 17 has outstanding
  tbsctl random 32                     32 random bytes in hexadecimal
  tbsctl random 4096 --raw > noise     the same, as bytes
  tbsctl submit 80010000000c0000017b0010 --priority high
                                       TPM2_GetRandom(16), ahead of others
  tbsctl explain 0x921                 what a code means, and what to do
  tbsctl log                           what firmware measured, and whether the TPM agrees
  tbsctl pcr sha256:0-7                PCRs 0 to 7 of one bank
  tbsctl bridge --protocol mssim 2321  serve a program made for a TPM simulator
  tbsctl --json contexts | jq '.[] | select(.state == "detached")'

Each subcommand has a help of its own: tbsctl SUBCOMMAND --help

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 tbsd cannot be reached,
4 tbsd refused (TBS_E_...), 5 the TPM answered with an error, 6 status: the TPM is not ready.
health: 0 fine, 1 degraded, 2 down. doctor: 1 when there is something to mend.)";

constexpr const char* kCommonOptions =
    "\n\nEvery subcommand takes --json, --color, --socket and --device too; see `tbsctl --help`.";

// The socket of tbsd@NAME.socket. A path is taken for the device's node.
std::expected<std::string, std::string> socket_of_device(const std::string& device) {
  const std::string name = device.starts_with("/dev/") ? device.substr(5) : device;
  const auto fits = [](unsigned char letter) { return std::isalnum(letter) != 0; };
  if (name.empty() || !std::ranges::all_of(name, fits)) {
    return std::unexpected("'" + device + "' is not the name of a TPM, as tpm1 is");
  }
  const std::string path = "/run/tbs/" + name;
  return client::socket_with_most_rights(path + ".admin.sock", path + ".sock");
}

void read_value(const Option& option, const std::string& text) {
  if (const auto read = option.read(text); !read) {
    throw CLI::ValidationError(option.name, read.error());
  }
}

CLI::Option* declare(CLI::App& sub, const Option& option) {
  if (option.flag()) {
    return sub.add_flag_callback(option.name, [&option] { read_value(option, {}); }, option.about);
  }
  if (option.repeated) {
    return sub.add_option_function<std::vector<std::string>>(
        option.name,
        [&option](const std::vector<std::string>& texts) {
          for (const std::string& text : texts) read_value(option, text);
        },
        option.about);
  }
  return sub.add_option_function<std::string>(
      option.name, [&option](const std::string& text) { read_value(option, text); }, option.about);
}

void add_option(CLI::App& sub, const Option& option) {
  CLI::Option* const added = declare(sub, option);
  if (!option.flag()) added->type_name(option.value);
  added->required(option.required);
  if (!option.with.empty()) added->needs(sub.get_option(option.with));
}

// `entry` must outlive the parsing. A part has the page of what it is a part of.
void add_subcommand(CLI::App& parent, const Subcommand& entry, const std::string& above = {}) {
  CLI::App* const sub = parent.add_subcommand(entry.name, entry.summary);
  const std::string page =
      entry.page ? "\nThe manual page tbsctl-" + entry.name + "(1) says more." : above;
  sub->footer(entry.help + kCommonOptions + page);
  for (const Option& option : entry.options) add_option(*sub, option);
  if (entry.parts.empty()) return;
  sub->require_subcommand(1);
  for (const Subcommand& part : entry.parts) add_subcommand(*sub, part, page);
}

// The words of the subcommand that was given, as far as it was given.
std::vector<std::string> given_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    names.push_back(at->get_name());
  }
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

// An option that was given and does not go with JSON; null when there is none.
const Option* against_json(const CLI::App& app, const CommandLine& line,
                           const std::vector<std::string>& names) {
  const CLI::App* sub = &app;
  for (const std::string& name : names) sub = sub->get_subcommand(name);
  const auto given = [sub](const Option& option) {
    return option.not_with_json && sub->count(option.name) > 0;
  };
  const auto found = std::ranges::find_if(line.subcommand.options, given);
  return line.json && found != line.subcommand.options.end() ? &*found : nullptr;
}

// "; did you mean `status`?" where a subcommand belongs and something else stands.
std::string suggestion(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  std::vector<std::string> names;
  for (const CLI::App* each : at->get_subcommands({})) names.push_back(each->get_name());
  // Words that are no option go up to the one above, which then has nothing to do with them.
  for (const CLI::App* each = at; each != nullptr && !names.empty(); each = each->get_parent()) {
    for (const std::string& word : each->remaining()) {
      if (word.starts_with('-')) continue;
      const auto nearest = nearest_word(word, names);
      return nearest ? "; did you mean `" + *nearest + "`?" : "";
    }
  }
  return "";
}

std::unexpected<Failure> usage(const std::string& message, const std::string& title) {
  const std::string program = title.empty() ? "tbsctl" : "tbsctl " + title;
  return std::unexpected(
      Failure{.exit = Exit::Usage, .message = message + "; see `" + program + " --help`"});
}

Subcommand take(std::vector<Subcommand>& table, const std::vector<std::string>& names) {
  std::vector<Subcommand>* entries = &table;
  Subcommand* found = nullptr;
  for (const std::string& name : names) {
    found = &*std::ranges::find(*entries, name, &Subcommand::name);
    entries = &found->parts;
  }
  return std::move(*found);
}

// From version 2.5 on CLI11 breaks the lines of long texts. Ours are broken where they should be.
template <class Formatter>
void keep_lines(Formatter& formatter) {
  if constexpr (requires { formatter.enable_footer_formatting(false); }) {
    formatter.enable_description_formatting(false);
    formatter.enable_footer_formatting(false);
  }
}

}  // namespace

std::vector<Option> global_options(CommandLine& line) {
  const auto json = [&line](const std::string&) -> std::expected<void, std::string> {
    line.json = true;
    return {};
  };
  const auto socket = [&line](const std::string& path) -> std::expected<void, std::string> {
    line.socket = path;
    return {};
  };
  const auto device = [&line](const std::string& name) -> std::expected<void, std::string> {
    auto path = socket_of_device(name);
    if (!path) return std::unexpected(path.error());
    line.socket = *std::move(path);
    return {};
  };
  const auto colours = [&line](const std::string& text) -> std::expected<void, std::string> {
    const auto choice = value_of(kColourChoices, text);
    if (!choice) return std::unexpected("'" + text + "' is none of " + listed(kColourChoices));
    line.colours = *choice;
    return {};
  };
  return {
      {.name = "--json", .about = "Print data as JSON", .read = json},
      {.name = "--color",
       .value = "WHEN",
       .about = "Colours: auto (on a terminal, the default), always or never",
       .read = colours,
       .offer = names_of(kColourChoices)},
      {.name = "--socket",
       .value = "PATH",
       .about = "Socket of tbsd (default: TBS_SOCKET, else /run/tbs/admin.sock for who may open "
                "it, else /run/tbs/tbsd.sock)",
       .read = socket,
       .offer = {Offer::Kind::Files}},
      {.name = "--device",
       .value = "NAME",
       .about = "Ask the tbsd of this TPM, tpm1 for instance, where there are several",
       .read = device,
       .offer = {Offer::Kind::Tpms}}};
}

std::expected<std::optional<CommandLine>, Failure> parse_command_line(int argc,
                                                                      const char* const* argv,
                                                                      std::ostream& out) {
  CommandLine line;
  auto table = subcommands();
  CLI::App app(kAbout, "tbsctl");
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.footer(kFooter);
  keep_lines(*app.get_formatter());
  app.set_version_flag("--version", std::string("tbsctl ") + kVersion + "\nfeatures: " + kFeatures);
  const auto globals = global_options(line);
  for (const Option& option : globals) add_option(app, option);
  app.get_option("--device")->excludes("--socket");
  for (const Subcommand& entry : table) add_subcommand(app, entry);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      return usage(error.what() + suggestion(app), joined(given_names(app)));
    }
    app.exit(error, out, out);
    return std::nullopt;
  }
  const auto names = given_names(app);
  if (names.empty()) return usage("a subcommand is missing", "");
  line.title = joined(names);
  line.subcommand = take(table, names);
  if (line.json && line.subcommand.json == JsonOutput::None) {
    return usage("--json does not go with " + line.title + ", which has a format of its own",
                 line.title);
  }
  if (const Option* const option = against_json(app, line, names)) {
    return usage(option->name + " and --json exclude each other", line.title);
  }
  return line;
}

}  // namespace tbs::ctl
