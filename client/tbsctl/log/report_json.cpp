#include "client/tbsctl/log/report_json.h"

#include <nlohmann/json.hpp>

#include "client/tbsctl/log/event_text.h"
#include "client/tbsctl/log/mismatch.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/text/hex.h"

namespace tbs::ctl {
namespace {

using nlohmann::ordered_json;

ordered_json fault_json(const std::string& fault) {
  return fault.empty() ? ordered_json() : ordered_json(fault);
}

ordered_json event_json(const Event& event, std::size_t index) {
  ordered_json digests = ordered_json::object();
  for (const EventDigest& digest : event.digests) {
    digests[bank_name(digest.algorithm)] = to_hex(digest.value);
  }
  const Description description = describe_event(event);
  const auto fit = digests_fit(event);
  return {{"event", index},
          {"pcr", event.pcr},
          {"type", event.type},
          {"name", event_name(event.type)},
          {"digests", digests},
          {"text", description.text},
          {"data", to_hex(event.data)},
          {"details", description.fields},
          {"digests_fit", fit ? ordered_json(*fit) : ordered_json()}};
}

ordered_json later_json(const LaterRecord& record, std::size_t index) {
  ordered_json digests = ordered_json::object();
  for (const LaterDigest& digest : record.digests) {
    digests[bank_name(digest.algorithm)] = to_hex(digest.value);
  }
  return {{"event", index},
          {"pcr", record.pcr ? ordered_json(*record.pcr) : ordered_json()},
          {"nv_index", record.pcr ? ordered_json() : ordered_json(record.nv_index)},
          {"name", record.name},
          {"digests", digests},
          {"text", record.description.text},
          {"details", record.description.fields}};
}

ordered_json later_log_json(const LogReport& report, const LaterPart& part) {
  ordered_json records = ordered_json::array();
  for (std::size_t i = part.first; i < part.first + part.count; ++i) {
    records.push_back(later_json(report.later[i], report.log.events.size() + i));
  }
  return {{"format", part.format}, {"events", records}, {"fault", fault_json(part.fault)}};
}

ordered_json comparison_json(const LogReport& report, const Comparison& comparison, bool compared) {
  ordered_json pcr = {{"bank", bank_name(comparison.replayed->algorithm)},
                      {"pcr", comparison.replayed->pcr},
                      {"nv_index", is_nvpcr(*comparison.replayed)
                                       ? ordered_json(pcr_name(report, *comparison.replayed))
                                       : ordered_json()},
                      {"log", to_hex(comparison.replayed->value())},
                      {"start", to_hex(comparison.replayed->start)}};
  if (!compared) return pcr;
  pcr["tpm"] = comparison.measured == nullptr ? ordered_json()
                                              : ordered_json(to_hex(comparison.measured->value));
  pcr["result"] = agreement_text(comparison.agreement);
  if (comparison.agreement == Agreement::Earlier) {
    pcr["first_unseen"] = comparison.first_unseen;
    pcr["last_seen"] = comparison.last_seen ? ordered_json(*comparison.last_seen) : ordered_json();
  }
  if (comparison.agreement == Agreement::Differs) {
    const bool known = comparison.cause != Cause::Unknown;
    pcr["cause"] = cause_name(comparison.cause);
    pcr["cause_event"] = known ? ordered_json(comparison.cause_record) : ordered_json();
  }
  if (comparison.agreement == Agreement::Earlier || comparison.agreement == Agreement::Differs) {
    pcr["explanation"] = mismatch_text(report, comparison);
  }
  return pcr;
}

// How the first of the logs is laid out; null for none.
ordered_json format_json(const LogReport& report) {
  if (report.log.events.empty() && report.log.fault.empty()) return {};
  return report.log.crypto_agile ? "crypto-agile" : "sha1";
}

}  // namespace

ordered_json report_json(const LogReport& report) {
  ordered_json events = ordered_json::array();
  for (std::size_t i = 0; i < report.log.events.size(); ++i) {
    events.push_back(event_json(report.log.events[i], i));
  }
  ordered_json pcrs = ordered_json::array();
  for (const Comparison& pcr : report.pcrs) {
    pcrs.push_back(comparison_json(report, pcr, report.compared));
  }
  const Comparison* const mismatch = first_mismatch(report);
  ordered_json banks = ordered_json::array();
  for (const DigestKind& kind : report.log.kinds) banks.push_back(bank_name(kind.algorithm));
  ordered_json later = ordered_json::array();
  for (const LaterPart& part : report.later_parts) later.push_back(later_log_json(report, part));
  const auto& final_events = report.log.final_events;
  return {{"format", format_json(report)},
          {"banks", banks},
          {"events", events},
          {"fault", fault_json(report.log.fault)},
          {"pcrs", pcrs},
          {"first_mismatch",
           mismatch == nullptr ? ordered_json() : comparison_json(report, *mismatch, true)},
          {"final_events", final_events ? ordered_json(*final_events) : ordered_json()},
          {"later_logs", later}};
}

}  // namespace tbs::ctl
