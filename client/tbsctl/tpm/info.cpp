#include <nlohmann/json.hpp>

#include "client/tbsctl/text/format.h"
#include "client/tbsctl/text/table.h"
#include "client/tbsctl/tpm/commands.h"

namespace tbs::ctl {
namespace {

// "1.59" for 159; the TPM reports the revision times 100.
std::string revision_text(std::uint32_t revision) {
  if (revision == 0) return "unknown";
  const std::string cents = std::to_string(revision % 100);
  return std::to_string(revision / 100) + "." + (cents.size() < 2 ? "0" : "") + cents;
}

nlohmann::ordered_json as_json(const proto::DeviceInfoReply& info) {
  return {{"tpm_version", tpm_version_text(info.tpm_version)},
          {"manufacturer", info.manufacturer},
          {"revision", info.revision},
          {"interface_type", info.interface_type},
          {"interface", interface_text(info.interface_type)},
          {"device", info.device},
          {"max_command", info.max_command},
          {"max_response", info.max_response}};
}

}  // namespace

Outcome run_info(Conversation& daemon, const Console& console) {
  const auto info = daemon.ask(proto::DeviceInfo{});
  if (!info) return std::unexpected(info.error());
  if (info->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("cannot tell about the TPM", info->status));
  }
  if (console.json) {
    print_json(console.out, as_json(*info));
    return {};
  }
  print_properties(console.out,
                   {{"TPM version", std::string(tpm_version_text(info->tpm_version))},
                    {"Manufacturer", printable(info->manufacturer)},
                    {"Specification revision", revision_text(info->revision)},
                    {"Interface", std::string(interface_text(info->interface_type))},
                    {"Device", printable(info->device)},
                    {"Largest command", std::to_string(info->max_command) + " bytes"},
                    {"Largest response", std::to_string(info->max_response) + " bytes"}});
  return {};
}

Subcommand info_subcommand() {
  return {.name = "info",
          .summary = "Show the TPM",
          .help =
              "Its family, maker, the revision of the specification it implements, how it is "
              "connected, the\n"
              "device of the daemon, and the sizes of the largest command and response.",
          .needs = always(kObserver),
          .run = [](const Environment& environment) {
            return run_info(*environment.daemon, environment.console);
          }};
}

}  // namespace tbs::ctl
