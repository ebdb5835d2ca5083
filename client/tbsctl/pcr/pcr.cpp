#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/subcommand.h"
#include "client/tbsctl/pcr/commands.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/pcr/read_pcrs.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/table.h"

namespace tbs::ctl {
namespace {

using Selections = std::vector<PcrSelection>;

Reader read_selection(const std::shared_ptr<Selections>& into) {
  return [into](const std::string& text) -> std::expected<void, std::string> {
    auto selection = parse_selection(text);
    if (!selection) return std::unexpected(selection.error());
    *into = *std::move(selection);
    return {};
  };
}

}  // namespace

Outcome run_pcr(Conversation& daemon, const Console& console,
                const std::vector<PcrSelection>& wanted) {
  auto selection = wanted;
  if (selection.empty()) {
    auto banks = tpm_banks(daemon);
    if (!banks) return std::unexpected(banks.error());
    selection = *std::move(banks);
  }
  const auto values = read_pcrs(daemon, selection);
  if (!values) return std::unexpected(values.error());
  if (values->empty()) {
    return std::unexpected(
        Failure{.exit = Exit::Failed, .message = "the TPM has none of these PCRs"});
  }
  if (console.json) {
    auto banks = nlohmann::ordered_json::object();
    for (const PcrValue& value : *values) {
      banks[bank_name(value.algorithm)][std::to_string(value.pcr)] = to_hex(value.value);
    }
    print_json(console.out, banks);
    return {};
  }
  Table table({{"BANK"}, {"PCR", Align::Right}, {"VALUE", Align::Left, true}});
  for (const PcrValue& value : *values) {
    table.add({bank_name(value.algorithm), std::to_string(value.pcr), to_hex(value.value)});
  }
  table.print(console.out);
  return {};
}

Subcommand pcr_subcommand() {
  const auto selections = std::make_shared<Selections>();
  return {
      .name = "pcr",
      .summary = "Read PCRs",
      .help = "Example:\n  tbsctl pcr sha1:0-3+sha256:16",
      .options = {{.name = "SELECTION",
                   .about = "Banks and PCRs: sha256, sha256:0,7 or sha1:0-3+sha256 (default: all)",
                   .read = read_selection(selections),
                   .offer = {Offer::Kind::Words, {"sha1", "sha256", "sha384", "sha512"}}}},
      .needs = always(kContext),
      .run = [selections](const Environment& environment) {
        return run_pcr(*environment.daemon, environment.console, *selections);
      }};
}

}  // namespace tbs::ctl
