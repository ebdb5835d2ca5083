#include "client/tbsctl/doctor/report.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "client/tbsctl/text/colour.h"
#include "client/tbsctl/text/named.h"

namespace tbs::ctl {
namespace {

constexpr Names<Severity, 5> kSeverityNames = {{
    {Severity::Fine, "fine"},
    {Severity::Unseen, "unseen"},
    {Severity::Note, "note"},
    {Severity::Warning, "warning"},
    {Severity::Error, "error"},
}};

constexpr std::size_t kFirstColumn = 9;    // "warning" and two blanks
constexpr std::size_t kSecondColumn = 15;  // "configuration" and two blanks

Colour severity_colour(Severity severity) {
  switch (severity) {
    case Severity::Fine:
      return Colour::Good;
    case Severity::Warning:
      return Colour::Caution;
    case Severity::Error:
      return Colour::Bad;
    case Severity::Unseen:
    case Severity::Note:
      break;
  }
  return Colour::Plain;
}

std::size_t count_of(const Findings& findings, Severity severity) {
  return static_cast<std::size_t>(std::ranges::count(findings, severity, &Finding::severity));
}

std::string padded(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(width - std::min(width, text.size()), ' ');
}

void print_finding(std::ostream& out, const Finding& finding) {
  const std::string margin(kFirstColumn + kSecondColumn, ' ');
  out << Coloured{severity_colour(finding.severity), severity_text(finding.severity)}
      << std::string(kFirstColumn - severity_text(finding.severity).size(), ' ')
      << padded(finding.check, kSecondColumn) << finding.what << '\n';
  if (!finding.why.empty()) out << margin << "why: " << finding.why << '\n';
  if (!finding.remedy.empty()) out << margin << "do:  " << finding.remedy << '\n';
}

nlohmann::ordered_json as_json(const Finding& finding) {
  return {{"severity", severity_text(finding.severity)},
          {"check", finding.check},
          {"what", finding.what},
          {"why", finding.why},
          {"do", finding.remedy}};
}

}  // namespace

std::string_view severity_text(Severity severity) {
  return *name_of(kSeverityNames, severity);
}

void print_findings(const Console& console, const Findings& findings) {
  const std::size_t errors = count_of(findings, Severity::Error);
  const std::size_t warnings = count_of(findings, Severity::Warning);
  const std::size_t unseen = count_of(findings, Severity::Unseen);
  if (console.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Finding& finding : findings) list.push_back(as_json(finding));
    print_json(
        console.out,
        {{"findings", list}, {"errors", errors}, {"warnings", warnings}, {"unseen", unseen}});
    return;
  }
  for (const Finding& finding : findings) print_finding(console.out, finding);
  console.out << '\n'
              << errors << " errors, " << warnings << " warnings, " << unseen << " not seen\n";
}

std::expected<void, Failure> verdict_of(const Findings& findings) {
  if (count_of(findings, Severity::Error) + count_of(findings, Severity::Warning) == 0) return {};
  return std::unexpected(Failure{.exit = Exit::Failed, .message = {}});
}

}  // namespace tbs::ctl
