#include <charconv>

#include <nlohmann/json.hpp>

#include "client/tbsctl/bridge/bridge.h"
#include "client/tbsctl/bridge/commands.h"
#include "client/tbsctl/bridge/inherited_sockets.h"
#include "client/tbsctl/command_line/readers.h"

namespace tbs::ctl {
namespace {

void print_addresses(const Console& console, BridgeProtocol protocol,
                     const std::vector<bridge::Address>& addresses) {
  const std::string_view name = *name_of(kBridgeProtocols, protocol);
  if (console.json) {
    nlohmann::ordered_json document = {{"protocol", name},
                                       {"listen", to_string(addresses.front())}};
    if (addresses.size() > 1) document["control"] = to_string(addresses.back());
    print_json(console.out, document);
  } else {
    console.out << name << " on " << to_string(addresses.front());
    if (addresses.size() > 1) console.out << " and " << to_string(addresses.back());
    console.out << '\n';
  }
  // Whoever started the bridge waits for this line.
  console.out.flush();
}

Reader read_address(const std::shared_ptr<std::string>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    const auto parsed = bridge::parse_address(text);
    if (!parsed) return std::unexpected(parsed.error());
    *into = text;
    return {};
  };
}

Reader read_mode(const std::shared_ptr<unsigned>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    unsigned mode = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, mode, 8);
    if (error != std::errc{} || stop != end || mode > 0777) {
      return std::unexpected("'" + text + "' is no octal mode up to 0777");
    }
    *into = mode;
    return {};
  };
}

std::vector<Option> bridge_options(const std::shared_ptr<BridgeOptions>& options) {
  return {
      {.name = "ADDRESS",
       .about = "Where to listen: a path with a slash in it, PORT (of 127.0.0.1), or ADDRESS:PORT; "
                "none with sockets that systemd hands over",
       .read = read_address(field(options, &BridgeOptions::listen)),
       .offer = {Offer::Kind::Files}},
      {.name = "--control",
       .value = "ADDRESS",
       .about = "Platform port of mssim, control channel of swtpm (default: the next port, or the "
                "path with .platform or .ctrl)",
       .read = read_address(field(options, &BridgeOptions::control)),
       .offer = {Offer::Kind::Files}},
      {.name = "--protocol",
       .value = "NAME",
       .about = "What the clients speak: raw (TPM commands, the default), mssim (Microsoft's "
                "simulator), swtpm",
       .read = read_name(field(options, &BridgeOptions::protocol), kBridgeProtocols),
       .offer = names_of(kBridgeProtocols)},
      {.name = "--persistent",
       .about = "One context for all connections, for clients that reconnect for every command",
       .read = set(field(options, &BridgeOptions::persistent))},
      {.name = "--listen-any",
       .about = "Allow an address that other machines can reach",
       .read = set(field(options, &BridgeOptions::listen_any))},
      {.name = "--mode",
       .value = "OCTAL",
       .about = "Mode of the Unix sockets (default 0600)",
       .read = read_mode(field(options, &BridgeOptions::mode))},
      priority_option(field(options, &BridgeOptions::priority)),
  };
}

// One of two says where to listen: the command line, or the service manager.
Outcome check_addresses(const BridgeOptions& options, bool handed_over) {
  const auto usage = [](std::string message) {
    return std::unexpected(Failure{.exit = Exit::Usage, .message = std::move(message)});
  };
  if (!handed_over && options.listen.empty()) {
    return usage("ADDRESS is missing, and no socket was handed over (LISTEN_FDS)");
  }
  if (handed_over && (!options.listen.empty() || !options.control.empty())) {
    return usage("sockets were handed over (LISTEN_FDS), so that no address can be named");
  }
  return {};
}

}  // namespace

Outcome run_bridge(const BridgeOptions& options, const std::string& socket,
                   const Console& console) {
  auto inherited = bridge::take_inherited_sockets();
  if (!inherited) {
    return std::unexpected(Failure{.exit = Exit::Failed, .message = inherited.error()});
  }
  if (auto usage = check_addresses(options, !inherited->empty()); !usage) return usage;
  bridge::Bridge bridge(options, socket, console.notes);
  const auto addresses = bridge.listen(*std::move(inherited));
  if (!addresses) {
    return std::unexpected(Failure{.exit = Exit::Failed, .message = addresses.error()});
  }
  print_addresses(console, options.protocol, *addresses);
  bridge.run();
  return {};
}

Subcommand bridge_subcommand() {
  const auto options = std::make_shared<BridgeOptions>();
  return {.name = "bridge",
          .summary = "Serve programs that speak to a TPM over a socket",
          .help = R"(Whoever can connect uses the TPM with your rights.

Examples:
  tbsctl bridge --protocol mssim 2321      the platform port is 2322
  tbsctl bridge --protocol swtpm ./tpm     the control channel is ./tpm.ctrl
  tbsctl bridge --persistent 2321          raw commands, one context
  systemctl start tbs-bridge@mssim.socket  as a service)",
          .options = bridge_options(options),
          .needs = always(kNoDaemon),
          .run =
              [options](const Environment& environment) {
                return run_bridge(*options, environment.socket, environment.console);
              },
          .page = true};
}

}  // namespace tbs::ctl
