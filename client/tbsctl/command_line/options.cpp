#include "client/tbsctl/command_line/options.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>

#include <CLI/CLI.hpp>

#include "client/tbsctl/bridge/address.h"
#include "client/tbsctl/presence/presence_words.h"
#include "client/tbsctl/text/number.h"
#include "proto/message.h"
#include "version.h"

namespace tbs::ctl {
namespace {

constexpr const char* kAbout =
    "Shows what tbsd and its TPM do, cancels commands, and sends TPM commands of its own and of "
    "others.";

constexpr const char* kFooter = R"(Examples:
  tbsctl status                        is the daemon well, and its TPM there?
  tbsctl contexts                      who uses the TPM, and what runs
  tbsctl limits                        is anybody near a limit?
  tbsctl cancel 17                     cancel what context 17 has outstanding
  tbsctl random 32                     32 random bytes in hexadecimal
  tbsctl random 4096 --raw > noise     the same, as bytes
  tbsctl submit 80010000000c0000017b0010 --priority high
                                       TPM2_GetRandom(16), ahead of others
  tbsctl log                           what firmware measured, and whether the TPM agrees
  tbsctl pcr sha256:0-7                PCRs 0 to 7 of one bank
  tbsctl bridge --protocol mssim 2321  serve a program made for a TPM simulator
  tbsctl --json contexts | jq '.[] | select(.state == "detached")'

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 tbsd cannot be reached,
4 tbsd refused (TBS_E_...), 5 the TPM answered with an error.)";

// The socket of tbsd@NAME.socket. A path is taken for the device's node.
std::string socket_of_device(const std::string& device) {
  const std::string name = device.starts_with("/dev/") ? device.substr(5) : device;
  const auto fits = [](unsigned char letter) { return std::isalnum(letter) != 0; };
  if (name.empty() || !std::ranges::all_of(name, fits)) {
    throw CLI::ValidationError("--device", "'" + device + "' is not the name of a TPM, as tpm1 is");
  }
  return "/run/tbs/" + name + ".sock";
}

// An option or argument that takes a number of at least `least`.
template <typename Number>
CLI::Option* add_number(CLI::App& sub, const std::string& name, Number& value, Number least,
                        const std::string& about) {
  return sub
      .add_option_function<std::string>(
          name,
          [&value, least, name](const std::string& text) {
            const auto number = parse_number<Number>(text);
            if (!number || *number < least) {
              throw CLI::ValidationError(name, "'" + text + "' is not a number" +
                                                   (least > 0 ? " above 0" : "") +
                                                   ", or too large");
            }
            value = *number;
          },
          about)
      ->type_name("");
}

void add_cancel(CLI::App& app, Options& options) {
  CLI::App* const sub = app.add_subcommand("cancel", "Cancel what a context has outstanding");
  add_number<std::uint64_t>(*sub, "ID", options.context, 0,
                            "Number of the context, from `tbsctl contexts`")
      ->required();
  sub->footer(
      "Everybody can cancel the commands of contexts of their own user, an administrator any.");
  sub->callback([&options] { options.command = Command::Cancel; });
}

void add_priority(CLI::App& sub, Options& options) {
  sub.add_option_function<std::string>(
         "--priority",
         [&options](const std::string& text) {
           const auto priority = parse_priority(text);
           if (!priority) {
             throw CLI::ValidationError("--priority", "'" + text +
                                                          "' is neither a number nor one of low, "
                                                          "normal, high, system, max");
           }
           options.priority = *priority;
         },
         "A number, or low (100), normal (200, the default), high (300), system (400), max")
      ->type_name("PRIORITY");
}

void add_submit(CLI::App& app, Options& options) {
  CLI::App* const sub = app.add_subcommand("submit", "Send one TPM command, print its response");
  sub->add_option_function<std::vector<std::string>>(
      "HEX",
      [&options](const std::vector<std::string>& words) {
        for (const std::string& word : words) {
          options.hex += (options.hex.empty() ? "" : " ") + word;
        }
      },
      "The command in hexadecimal; - reads standard input");
  sub->add_option("-f,--file", options.file,
                  "Read the command from a file, in hexadecimal or as bytes; - is standard input")
      ->type_name("FILE");
  add_priority(*sub, options);
  add_number<std::uint32_t>(*sub, "--locality", options.locality, 0,
                            "Locality of the command (default 0)")
      ->type_name("NUMBER");
  sub->add_flag("--raw", options.raw, "Print the response as bytes instead of hexadecimal");
  sub->footer(R"(The response goes to standard output, its response code in words to standard error.
White space, colons, commas and 0x in the hexadecimal text are skipped.

Examples:
  tbsctl submit 80 01 00:00:00:0c 0x0000017b 0010
  tbsctl submit -f command.bin --raw > response.bin
  echo 80010000000c0000017b0010 | tbsctl submit -)");
  sub->callback([&options] { options.command = Command::Submit; });
}

void add_random(CLI::App& app, Options& options) {
  CLI::App* const sub = app.add_subcommand("random", "Print random bytes from the TPM");
  add_number<std::uint64_t>(*sub, "N", options.count, 1, "How many bytes")->required();
  sub->add_flag("--raw", options.raw, "Print bytes instead of hexadecimal");
  sub->callback([&options] { options.command = Command::Random; });
}

void add_log(CLI::App& app, Options& options) {
  CLI::App* const sub =
      app.add_subcommand("log", "Show what firmware measured, and compare it with the PCRs");
  sub->add_flag("--raw", options.raw, "Print the log as it is");
  sub->add_flag("!--no-compare", options.compare, "Do not read the PCRs of the TPM");
  sub->add_option("-f,--file", options.file, "Decode this file; the TPM is not asked")
      ->type_name("FILE");
  sub->footer(
      "The exit code is 1 when the log is damaged, or a PCR is not what the log makes of it.");
  sub->callback([&options] { options.command = Command::Log; });
}

void add_pcr(CLI::App& app, Options& options) {
  CLI::App* const sub = app.add_subcommand("pcr", "Read PCRs");
  sub->add_option_function<std::string>(
      "SELECTION",
      [&options](const std::string& text) {
        auto selection = parse_selection(text);
        if (!selection) throw CLI::ValidationError("SELECTION", selection.error());
        options.pcrs = *std::move(selection);
      },
      "Banks and PCRs: sha256, sha256:0,7 or sha1:0-3+sha256 (default: all)");
  sub->callback([&options] { options.command = Command::Pcr; });
}

void add_ppi(CLI::App& app, Options& options) {
  CLI::App* const sub =
      app.add_subcommand("ppi", "Show the firmware's physical presence interface, or use it");
  sub->add_option_function<std::string>(
         "--submit",
         [&options](const std::string& text) {
           options.presence.operation = parse_operation(text);
           if (!options.presence.operation) {
             throw CLI::ValidationError("--submit",
                                        "'" + text + "' is neither clear, none nor a number");
           }
         },
         "Ask the firmware to do this at the next start: clear, none (take it back) or a number")
      ->type_name("OPERATION");
  sub->add_option_function<std::string>(
         "--parameter",
         [&options](const std::string& text) {
           options.presence.parameter = parse_number<std::uint32_t>(text);
           if (!options.presence.parameter) {
             throw CLI::ValidationError("--parameter", "'" + text + "' is no number");
           }
         },
         "Parameter of the operation, such as the banks of operation 23")
      ->type_name("NUMBER");
  sub->add_flag("--yes", options.presence.confirmed, "Really submit it");
  sub->footer("Clearing the TPM destroys every key in it. Administrators alone may submit.");
  sub->callback([&options] { options.command = Command::Ppi; });
}

void add_protocol(CLI::App& sub, BridgeOptions& bridge) {
  static const std::map<std::string, BridgeProtocol> kProtocols{{"raw", BridgeProtocol::Raw},
                                                                {"mssim", BridgeProtocol::Mssim},
                                                                {"swtpm", BridgeProtocol::Swtpm}};
  sub.add_option_function<std::string>(
         "--protocol",
         [&bridge](const std::string& text) {
           const auto protocol = kProtocols.find(text);
           if (protocol == kProtocols.end()) {
             throw CLI::ValidationError("--protocol",
                                        "'" + text + "' is none of raw, mssim, swtpm");
           }
           bridge.protocol = protocol->second;
         },
         "What the clients speak: raw (TPM commands, the default), mssim (Microsoft's simulator), "
         "swtpm")
      ->type_name("NAME");
}

void add_address(CLI::App& sub, const std::string& name, std::string& address, bool required,
                 const std::string& about) {
  sub.add_option_function<std::string>(
         name,
         [&address, name](const std::string& text) {
           const auto parsed = bridge::parse_address(text);
           if (!parsed) throw CLI::ValidationError(name, parsed.error());
           address = text;
         },
         about)
      ->required(required)
      ->type_name("ADDRESS");
}

void add_mode(CLI::App& sub, BridgeOptions& bridge) {
  sub.add_option_function<std::string>(
         "--mode",
         [&bridge](const std::string& text) {
           unsigned mode = 0;
           const auto [stop, error] =
               std::from_chars(text.data(), text.data() + text.size(), mode, 8);
           if (error != std::errc{} || stop != text.data() + text.size() || mode > 0777) {
             throw CLI::ValidationError("--mode", "'" + text + "' is no octal mode up to 0777");
           }
           bridge.mode = mode;
         },
         "Mode of the Unix sockets (default 0600)")
      ->type_name("OCTAL");
}

void add_bridge(CLI::App& app, Options& options) {
  CLI::App* const sub =
      app.add_subcommand("bridge", "Serve programs that speak to a TPM over a socket");
  add_address(*sub, "ADDRESS", options.bridge.listen, true,
              "Where to listen: a path with a slash in it, PORT (of 127.0.0.1), or ADDRESS:PORT");
  add_address(*sub, "--control", options.bridge.control, false,
              "Platform port of mssim, control channel of swtpm (default: the next port, or the "
              "path with .platform or .ctrl)");
  add_protocol(*sub, options.bridge);
  sub->add_flag("--persistent", options.bridge.persistent,
                "One context for all connections, for clients that reconnect for every command");
  sub->add_flag("--listen-any", options.bridge.listen_any,
                "Allow an address that other machines can reach");
  add_mode(*sub, options.bridge);
  add_priority(*sub, options);
  sub->footer(R"(Whoever can connect uses the TPM with your rights.

Examples:
  tbsctl bridge --protocol mssim 2321      the platform port is 2322
  tbsctl bridge --protocol swtpm ./tpm     the control channel is ./tpm.ctrl
  tbsctl bridge --persistent 2321          raw commands, one context)");
  sub->callback([&options] { options.command = Command::Bridge; });
}

void add_lockout(CLI::App& app, Options& options) {
  CLI::App* const sub =
      app.add_subcommand("lockout", "Show who is locked out, and the TPM's own counter");
  sub->callback([&options] {
    if (options.command != Command::LockoutReset) options.command = Command::Lockout;
  });
  CLI::Option* const reset = sub->add_flag_callback(
      "--reset", [&options] { options.command = Command::LockoutReset; },
      "Forget the failed authorizations of all users, or of the one given by --uid");
  options.uid = proto::kNobody;
  add_number<std::uint32_t>(*sub, "--uid", options.uid, 0, "Only of this user")
      ->type_name("UID")
      ->needs(reset);
  sub->footer(
      "--reset is for administrators. It does not reset the TPM's own counter; that takes\n"
      "the lockout authorization: tpm2_dictionarylockout --clear-lockout.");
}

void add_policy(CLI::App& app, Options& options) {
  CLI::App* const sub = app.add_subcommand("policy", "Check and explain rules");
  sub->require_subcommand(1);
  sub->fallthrough();
  PolicyQuestion& question = options.question;
  sub->add_option("--dir", question.folder, "Folder of the rules (default: /etc/tbs/policy.d)")
      ->type_name("PATH");
  sub->add_subcommand("check", "Read the rules and say what is wrong with them")
      ->callback([&options] { options.command = Command::PolicyCheck; });
  CLI::App* const explain = sub->add_subcommand("explain", "Say what a user may do, and why");
  add_number<std::uint32_t>(*explain, "UID", options.uid, 0, "Number of the user")->required();
  explain->add_option("COMMAND", question.command, "Name or number of the TPM command")->required();
  explain->add_option("--gid", question.gids, "A group of the user")->type_name("GID");
  explain->add_option("--unit", question.unit, "systemd unit of the client")->type_name("NAME");
  explain->add_option("--cgroup", question.cgroup, "Control group of the client")
      ->type_name("PATH");
  explain->add_flag("--admin", question.administrator, "A member of the administrators' group");
  explain
      ->add_option("--handle", question.handles,
                   "NV index, persistent handle or PCR that the command names")
      ->type_name("HANDLE");
  add_priority(*explain, options);
  add_number<std::uint32_t>(*explain, "--locality", options.locality, 0,
                            "Locality of the command (default 0)")
      ->type_name("NUMBER");
  explain->footer("Exit codes: 0 allowed, 1 blocked.");
  explain->callback([&options] { options.command = Command::PolicyExplain; });
}

void add_all(CLI::App& app, Options& options) {
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("tbsctl ") + kVersion);
  app.add_flag("--json", options.json, "Print data as JSON");
  app.add_option("--socket", options.socket,
                 "Socket of tbsd (default: TBS_SOCKET, else /run/tbs/tbsd.sock)")
      ->type_name("PATH");
  app.add_option_function<std::string>(
         "--device",
         [&options](const std::string& name) { options.socket = socket_of_device(name); },
         "Ask the tbsd of this TPM, tpm1 for instance, where there are several")
      ->type_name("NAME")
      ->excludes("--socket");
  app.add_subcommand("info", "Show the TPM")->callback([&options] {
    options.command = Command::Info;
  });
  app.add_subcommand("status", "Show how the daemon does")->callback([&options] {
    options.command = Command::Status;
  });
  app.add_subcommand("contexts", "List the contexts: who uses the TPM, what waits, what runs")
      ->callback([&options] { options.command = Command::Contexts; });
  app.add_subcommand("limits", "Show what may be used, and how much of it is")
      ->callback([&options] { options.command = Command::Limits; });
  app.add_subcommand("events", "Follow what the daemon tells about clients in the journal")
      ->callback([&options] { options.command = Command::Events; });
  add_lockout(app, options);
  add_policy(app, options);
  add_cancel(app, options);
  add_submit(app, options);
  add_random(app, options);
  add_log(app, options);
  add_pcr(app, options);
  add_ppi(app, options);
  app.add_subcommand("id", "Print the identifier of the TPM")->callback([&options] {
    options.command = Command::Id;
  });
  add_bridge(app, options);
}

std::unexpected<Failure> usage(std::string message) {
  return std::unexpected(
      Failure{.exit = Exit::Usage, .message = std::move(message) + "; see `tbsctl --help`"});
}

// What CLI11 cannot check because it concerns two arguments.
std::expected<std::optional<Options>, Failure> completed(Options options) {
  if (options.raw && options.json) return usage("--raw and --json exclude each other");
  options.bridge.priority = options.priority;
  if (options.command != Command::Submit) return options;
  if (options.hex == "-") options.hex.clear(), options.file = "-";
  if (options.hex.empty() == options.file.empty()) {
    return usage("submit needs the command, either as HEX or with -f FILE");
  }
  return options;
}

}  // namespace

std::expected<std::optional<Options>, Failure> parse_options(int argc, const char* const* argv,
                                                             std::ostream& out) {
  Options options;
  CLI::App app(kAbout, "tbsctl");
  add_all(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return usage(error.what());
    app.exit(error, out, out);
    return std::nullopt;
  }
  if (app.get_subcommands().empty()) return usage("a subcommand is missing");
  return completed(std::move(options));
}

}  // namespace tbs::ctl
