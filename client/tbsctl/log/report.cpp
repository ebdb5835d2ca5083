#include "client/tbsctl/log/report.h"

#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

#include "client/tbsctl/log/event_text.h"
#include "client/tbsctl/log/mismatch.h"
#include "client/tbsctl/log/report_json.h"
#include "client/tbsctl/pcr/pcr_value.h"
#include "client/tbsctl/text/hex.h"
#include "client/tbsctl/text/table.h"

namespace tbs::ctl {
namespace {

// In front of the lines that belong to the record above them.
constexpr const char* kInset = "  ";

void add_record(Table& table, std::size_t number, const std::string& pcr, const std::string& name,
                const Description& description) {
  table.add({std::to_string(number), pcr, name, description.text});
  for (const std::string& part : description.parts) table.add({"", "", "", kInset + part});
}

Colour agreement_colour(Agreement agreement) {
  switch (agreement) {
    case Agreement::Equal:
      return Colour::Good;
    case Agreement::Earlier:
      return Colour::Caution;
    case Agreement::Differs:
      return Colour::Bad;
    case Agreement::Absent:
      break;
  }
  return Colour::Plain;
}

void print_records(std::ostream& out, const LogReport& report) {
  Table table({{"EVENT", Align::Right}, {"PCR", Align::Right}, {"TYPE"}, {"WHAT"}});
  std::size_t number = 0;
  for (const Event& event : report.log.events) {
    Description description = describe_event(event);
    if (digests_fit(event) == false) {
      description.parts.emplace_back("its digest is not that of this data");
    }
    add_record(table, number++, std::to_string(event.pcr), event_name(event.type), description);
  }
  for (const LaterRecord& record : report.later) {
    Description description = record.description;
    if (!record.pcr) description.text = "NvPCR " + record.nv_index + ": " + description.text;
    add_record(table, number++, record.pcr ? std::to_string(*record.pcr) : "-", record.name,
               description);
  }
  table.print(out);
}

void print_for_people(std::ostream& out, const LogReport& report) {
  print_records(out, report);
  if (report.pcrs.empty()) return;
  out << '\n';
  Table pcrs({{"BANK"},
              {"PCR", Align::Right},
              {"EXPECTED FROM LOG", Align::Left, true},
              {report.compared ? "TPM" : ""}});
  for (const Comparison& pcr : report.pcrs) {
    pcrs.add({bank_name(pcr.replayed->algorithm), pcr_name(report, *pcr.replayed),
              to_hex(pcr.replayed->value()),
              report.compared ? Cell(agreement_text(pcr.agreement), agreement_colour(pcr.agreement))
                              : ""});
  }
  pcrs.print(out);
}

void append_reason(std::string& message, const std::string& reason) {
  message += (message.empty() ? "" : "; ") + reason;
}

}  // namespace

void LogReport::add(LaterLog added) {
  later_parts.push_back({.format = std::move(added.format),
                         .first = later.size(),
                         .count = added.records.size(),
                         .fault = std::move(added.fault)});
  later.insert(later.end(), std::make_move_iterator(added.records.begin()),
               std::make_move_iterator(added.records.end()));
}

void print_report(const Console& console, const LogReport& report) {
  if (console.json) {
    print_json(console.out, report_json(report));
  } else {
    print_for_people(console.out, report);
  }
}

std::expected<void, Failure> verdict(const LogReport& report) {
  std::string message;
  if (!report.log.fault.empty()) message = "the event log is damaged: " + report.log.fault;
  for (const LaterPart& part : report.later_parts) {
    if (part.fault.empty()) continue;
    append_reason(message, (part.format.starts_with("ima") ? "IMA's list" : "systemd's log") +
                               std::string(" is damaged: ") + part.fault);
  }
  if (const Comparison* const mismatch = first_mismatch(report)) {
    append_reason(message, mismatch_text(report, *mismatch));
  }
  if (message.empty()) return {};
  return std::unexpected(Failure{.exit = Exit::Failed, .message = message});
}

}  // namespace tbs::ctl
