#include <nlohmann/json.hpp>

#include "client/tbsctl/connection/connect.h"
#include "client/tbsctl/pcr/pcr_value.h"
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

// A TPM that is at work for longer is not waited for.
constexpr std::chrono::seconds kDetailsTime{3};

std::vector<std::uint32_t> pcrs_of(const PcrSelection& bank) {
  std::vector<std::uint32_t> pcrs;
  for (std::uint32_t pcr = 0; pcr < kPcrCount; ++pcr) {
    if ((bank.pcrs >> pcr & 1U) != 0) pcrs.push_back(pcr);
  }
  return pcrs;
}

nlohmann::ordered_json details_json(const std::optional<TpmDetails>& details) {
  nlohmann::ordered_json json = {
      {"vendor_string", nullptr}, {"firmware", nullptr}, {"pcr_banks", nullptr}};
  if (!details) return json;
  if (!details->vendor.empty()) json["vendor_string"] = details->vendor;
  if (!details->firmware.empty()) json["firmware"] = details->firmware;
  json["pcr_banks"] = nlohmann::ordered_json::object();
  for (const PcrSelection& bank : details->banks) {
    json["pcr_banks"][bank_name(bank.algorithm)] = pcrs_of(bank);
  }
  return json;
}

std::string banks_text(const std::vector<PcrSelection>& banks) {
  std::string text;
  for (const PcrSelection& bank : banks) {
    text += (text.empty() ? "" : ", ") + bank_name(bank.algorithm) + " (" +
            std::to_string(pcrs_of(bank).size()) + " PCRs)";
  }
  return text;
}

std::string or_unknown(const std::string& text) {
  return text.empty() ? "unknown" : printable(text);
}

// From the TPM itself, unless it is at work for long.
std::optional<TpmDetails> details_from(const std::string& socket) {
  const auto deadline = client::Clock::now() + kDetailsTime;
  auto stream = connect_to_daemon(socket, deadline);
  if (!stream) return std::nullopt;
  Conversation daemon(*std::move(stream));
  if (!daemon.handshake(proto::Role::Context, proto::kWantTpm12 | proto::kWantTpm20, deadline)) {
    return std::nullopt;
  }
  daemon.give_tpm_until(deadline);
  TpmDetails details = ask_details(daemon);
  const bool nothing = details.firmware.empty() && details.banks.empty();
  return nothing ? std::nullopt : std::optional(std::move(details));
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

Outcome run_info(Conversation& daemon, const Console& console,
                 const std::function<std::optional<TpmDetails>()>& ask) {
  const auto info = daemon.ask(proto::DeviceInfo{});
  if (!info) return std::unexpected(info.error());
  if (info->status != proto::Status::Success) {
    return std::unexpected(tbs_failure("cannot tell about the TPM", info->status));
  }
  const std::optional<TpmDetails> details = ask ? ask() : std::nullopt;
  if (console.json) {
    auto json = as_json(*info);
    json.update(details_json(details));
    print_json(console.out, json);
    return {};
  }
  const TpmDetails known = details.value_or(TpmDetails{});
  print_properties(console.out,
                   {{"TPM version", std::string(tpm_version_text(info->tpm_version))},
                    {"Manufacturer", printable(info->manufacturer)},
                    {"Vendor string", or_unknown(known.vendor)},
                    {"Firmware version", or_unknown(known.firmware)},
                    {"PCR banks", or_unknown(banks_text(known.banks))},
                    {"Specification revision", revision_text(info->revision)},
                    {"Interface", std::string(interface_text(info->interface_type))},
                    {"Device", printable(info->device)},
                    {"Largest command", std::to_string(info->max_command) + " bytes"},
                    {"Largest response", std::to_string(info->max_response) + " bytes"}});
  return {};
}

Subcommand info_subcommand() {
  return {
      .name = "info",
      .summary = "Show the TPM",
      .help =
          "Its family, maker and vendor's text, the version of its firmware, its banks of PCRs, "
          "the revision of\nthe specification it implements, how it is connected, the device of "
          "the daemon, and the sizes of the\nlargest command and response. What a TPM that is at "
          "work does not tell within 3 s is unknown.\n\nExample:\n  tbsctl --json info | jq "
          ".firmware",
      .needs = always(kObserver),
      .run = [](const Environment& environment) {
        return run_info(*environment.daemon, environment.console,
                        [&environment] { return details_from(environment.socket); });
      }};
}

}  // namespace tbs::ctl
