#include "client/tbsctl/log/report.h"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "client/tbsctl/log/event_text.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/named.h"
#include "client/tbsctl/text/table.h"

namespace tbs::ctl {
namespace {

using nlohmann::ordered_json;

constexpr Names<Agreement, 4> kAgreements = {{
    {Agreement::Equal, "equal"},
    {Agreement::Earlier, "earlier"},
    {Agreement::Differs, "differs"},
    {Agreement::Absent, "absent"},
}};

std::string agreement_text(Agreement agreement) {
  return std::string(*name_of(kAgreements, agreement));
}

bool is_mismatch(const Comparison& comparison) {
  return comparison.agreement == Agreement::Earlier || comparison.agreement == Agreement::Differs;
}

std::string pcr_title(const ReplayedPcr& pcr) {
  return "PCR " + std::to_string(pcr.pcr) + " (" + bank_name(pcr.algorithm) + ")";
}

// What is wrong, for people: where the TPM and the log part ways.
std::string mismatch_text(const EventLog& log, const Comparison& comparison) {
  const ReplayedPcr& pcr = *comparison.replayed;
  if (comparison.agreement == Agreement::Earlier) {
    return pcr_title(pcr) + " of the TPM has not seen event " +
           std::to_string(comparison.first_unseen) + " (" +
           event_name(log.events[comparison.first_unseen].type) + ") and what comes after it";
  }
  return pcr_title(pcr) + " is " + to_hex(comparison.measured->value) +
         " in the TPM; expected from the log is " + to_hex(pcr.value());
}

ordered_json event_json(const Event& event, std::size_t index) {
  ordered_json digests = ordered_json::object();
  for (const EventDigest& digest : event.digests) {
    digests[bank_name(digest.algorithm)] = to_hex(digest.value);
  }
  return {{"event", index},
          {"pcr", event.pcr},
          {"type", event.type},
          {"name", event_name(event.type)},
          {"digests", digests},
          {"text", event_text(event)},
          {"data", to_hex(event.data)}};
}

ordered_json pcr_json(const Comparison& comparison, bool compared) {
  ordered_json pcr = {{"bank", bank_name(comparison.replayed->algorithm)},
                      {"pcr", comparison.replayed->pcr},
                      {"log", to_hex(comparison.replayed->value())}};
  if (!compared) return pcr;
  pcr["tpm"] = comparison.measured == nullptr ? ordered_json()
                                              : ordered_json(to_hex(comparison.measured->value));
  pcr["result"] = agreement_text(comparison.agreement);
  if (comparison.agreement == Agreement::Earlier) pcr["first_unseen"] = comparison.first_unseen;
  return pcr;
}

const Comparison* first_mismatch(const LogReport& report) {
  const auto found = std::ranges::find_if(report.pcrs, is_mismatch);
  return report.compared && found != report.pcrs.end() ? &*found : nullptr;
}

void print_as_json(std::ostream& out, const LogReport& report) {
  ordered_json events = ordered_json::array();
  for (std::size_t i = 0; i < report.log.events.size(); ++i) {
    events.push_back(event_json(report.log.events[i], i));
  }
  ordered_json pcrs = ordered_json::array();
  for (const Comparison& pcr : report.pcrs) pcrs.push_back(pcr_json(pcr, report.compared));
  const Comparison* const mismatch = first_mismatch(report);
  ordered_json banks = ordered_json::array();
  for (const DigestKind& kind : report.log.kinds) banks.push_back(bank_name(kind.algorithm));
  print_json(
      out, {{"format", report.log.crypto_agile ? "crypto-agile" : "sha1"},
            {"banks", banks},
            {"events", events},
            {"fault", report.log.fault.empty() ? ordered_json() : ordered_json(report.log.fault)},
            {"pcrs", pcrs},
            {"first_mismatch", mismatch == nullptr ? ordered_json() : pcr_json(*mismatch, true)}});
}

void print_for_people(std::ostream& out, const LogReport& report) {
  Table events({{"EVENT", Align::Right}, {"PCR", Align::Right}, {"TYPE"}, {"WHAT"}});
  for (std::size_t i = 0; i < report.log.events.size(); ++i) {
    const Event& event = report.log.events[i];
    events.add(
        {std::to_string(i), std::to_string(event.pcr), event_name(event.type), event_text(event)});
  }
  events.print(out);
  if (report.pcrs.empty()) return;
  out << '\n';
  Table pcrs(
      {{"BANK"}, {"PCR", Align::Right}, {"EXPECTED FROM LOG"}, {report.compared ? "TPM" : ""}});
  for (const Comparison& pcr : report.pcrs) {
    pcrs.add({bank_name(pcr.replayed->algorithm), std::to_string(pcr.replayed->pcr),
              to_hex(pcr.replayed->value()), report.compared ? agreement_text(pcr.agreement) : ""});
  }
  pcrs.print(out);
}

}  // namespace

void print_report(const Console& console, const LogReport& report) {
  if (console.json) {
    print_as_json(console.out, report);
  } else {
    print_for_people(console.out, report);
  }
}

std::expected<void, Failure> verdict(const LogReport& report) {
  std::string message;
  if (!report.log.fault.empty()) message = "the event log is damaged: " + report.log.fault;
  if (const Comparison* const mismatch = first_mismatch(report)) {
    if (!message.empty()) message += "; ";
    message += mismatch_text(report.log, *mismatch);
  }
  if (message.empty()) return {};
  return std::unexpected(Failure{.exit = Exit::Failed, .message = message});
}

}  // namespace tbs::ctl
