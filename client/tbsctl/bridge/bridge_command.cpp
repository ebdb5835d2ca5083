#include <nlohmann/json.hpp>

#include "client/tbsctl/bridge/bridge.h"
#include "client/tbsctl/command_line/commands.h"

namespace tbs::ctl {
namespace {

std::string_view name_of(BridgeProtocol protocol) {
  switch (protocol) {
    case BridgeProtocol::Raw:
      return "raw";
    case BridgeProtocol::Mssim:
      return "mssim";
    case BridgeProtocol::Swtpm:
      return "swtpm";
  }
  return "";
}

void print_addresses(const Console& console, BridgeProtocol protocol,
                     const std::vector<bridge::Address>& addresses) {
  if (console.json) {
    nlohmann::ordered_json document = {{"protocol", name_of(protocol)},
                                       {"listen", to_string(addresses.front())}};
    if (addresses.size() > 1) document["control"] = to_string(addresses.back());
    print_json(console.out, document);
  } else {
    console.out << name_of(protocol) << " on " << to_string(addresses.front());
    if (addresses.size() > 1) console.out << " and " << to_string(addresses.back());
    console.out << '\n';
  }
  // Whoever started the bridge waits for this line.
  console.out.flush();
}

}  // namespace

Outcome run_bridge(const BridgeOptions& options, const std::string& socket,
                   const Console& console) {
  bridge::Bridge bridge(options, socket, console.notes);
  const auto addresses = bridge.listen();
  if (!addresses) {
    return std::unexpected(Failure{.exit = Exit::Failed, .message = addresses.error()});
  }
  print_addresses(console, options.protocol, *addresses);
  bridge.run();
  return {};
}

}  // namespace tbs::ctl
