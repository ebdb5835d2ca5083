#include "client/tbsctl/log/mismatch.h"

#include <algorithm>
#include <array>

#include "client/tbsctl/log/event_names.h"
#include "client/tbsctl/log/event_text.h"
#include "client/tbsctl/log/words/log_text.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/named.h"

namespace tbs::ctl {
namespace {

constexpr Names<Agreement, 4> kAgreements = {{
    {Agreement::Equal, "equal"},
    {Agreement::Earlier, "earlier"},
    {Agreement::Differs, "differs"},
    {Agreement::Absent, "absent"},
}};

constexpr Names<Cause, 4> kCauses = {{
    {Cause::Unknown, "unknown"},
    {Cause::LeftOut, "left-out"},
    {Cause::Twice, "twice"},
    {Cause::Swapped, "swapped"},
}};

constexpr std::uint32_t kImaPcr = 10;
// What systemd extends after boot.
constexpr std::array<std::uint32_t, 5> kSystemdPcrs = {9, 11, 12, 13, 15};

std::string pcr_title(const LogReport& report, const ReplayedPcr& pcr) {
  return (is_nvpcr(pcr) ? "NvPCR " : "PCR ") + pcr_name(report, pcr) + " (" +
         bank_name(pcr.algorithm) + ")";
}

// "event 37 (EV_SEPARATOR)"
std::string record_title(const LogReport& report, std::size_t record) {
  const std::size_t events = report.log.events.size();
  const std::string name = record < events ? event_name(report.log.events[record].type)
                                           : report.later[record - events].name;
  return "event " + std::to_string(record) + " (" + name + ")";
}

std::string earlier_text(const LogReport& report, const Comparison& comparison) {
  const std::string seen = comparison.last_seen ? ": it has what the log says up to event " +
                                                      std::to_string(*comparison.last_seen)
                                                : ": it has nothing of what the log says";
  return pcr_title(report, *comparison.replayed) + " of the TPM has not seen " +
         record_title(report, comparison.first_unseen) + " and what comes after it" + seen;
}

// The first record of the PCR whose digest is not that of its data.
std::optional<std::size_t> misfit(const LogReport& report, const ReplayedPcr& pcr) {
  for (const ReplayStep& step : pcr.steps) {
    if (step.event >= report.log.events.size()) return std::nullopt;
    if (digests_fit(report.log.events[step.event]) == false) return step.event;
  }
  return std::nullopt;
}

bool has_format(const LogReport& report, std::string_view start) {
  return std::ranges::any_of(report.later_parts,
                             [&](const LaterPart& part) { return part.format.starts_with(start); });
}

// Why no part of the log gives the value.
std::string unexplained_text(const LogReport& report, const ReplayedPcr& pcr) {
  if (const auto record = misfit(report, pcr)) {
    return "the digest of " + record_title(report, *record) + " is not that of its data";
  }
  if (pcr.pcr == kImaPcr && !has_format(report, "ima")) {
    return "the kernel's IMA goes on measuring into it; compare with --ima auto";
  }
  const bool systemd = std::ranges::find(kSystemdPcrs, pcr.pcr) != kSystemdPcrs.end();
  if (systemd && !has_format(report, "systemd")) {
    return "systemd goes on measuring into it; compare with --userspace auto";
  }
  if (is_nvpcr(pcr)) {
    return "no part of the log gives that value; the log may not say what systemd began it with, "
           "or is of another boot";
  }
  return "no part of the log gives that value; something that is not in the log was measured, or "
         "the log is of another boot";
}

std::string cause_text(const LogReport& report, const Comparison& comparison) {
  const std::string record = record_title(report, comparison.cause_record);
  switch (comparison.cause) {
    case Cause::LeftOut:
      return "the TPM has all of the log but " + record;
    case Cause::Twice:
      return "the TPM has " + record + " twice";
    case Cause::Swapped:
      return "the TPM has " + record + " and the next one of this PCR the other way round";
    case Cause::Unknown:
      break;
  }
  return unexplained_text(report, *comparison.replayed);
}

}  // namespace

bool is_nvpcr(const ReplayedPcr& pcr) {
  return pcr.pcr >= kPcrCount;
}

std::string pcr_name(const LogReport& report, const ReplayedPcr& pcr) {
  if (!is_nvpcr(pcr)) return std::to_string(pcr.pcr);
  const auto found = std::ranges::find(report.later, pcr.pcr, &LaterRecord::nv_number);
  return found == report.later.end() ? hex_number(pcr.pcr) : found->nv_index;
}

std::string agreement_text(Agreement agreement) {
  return std::string(*name_of(kAgreements, agreement));
}

std::string cause_name(Cause cause) {
  return std::string(*name_of(kCauses, cause));
}

const Comparison* first_mismatch(const LogReport& report) {
  const auto found = std::ranges::find_if(report.pcrs, [](const Comparison& comparison) {
    return comparison.agreement == Agreement::Earlier || comparison.agreement == Agreement::Differs;
  });
  return report.compared && found != report.pcrs.end() ? &*found : nullptr;
}

std::string mismatch_text(const LogReport& report, const Comparison& comparison) {
  if (comparison.agreement == Agreement::Earlier) return earlier_text(report, comparison);
  const ReplayedPcr& pcr = *comparison.replayed;
  return pcr_title(report, pcr) + " is " + to_hex(comparison.measured->value) +
         " in the TPM; expected from the log is " + to_hex(pcr.value()) + "; " +
         cause_text(report, comparison);
}

}  // namespace tbs::ctl
