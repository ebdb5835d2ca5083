#include "client/tbsctl/doctor/unit_check.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

constexpr std::array kProperties = {
    std::pair<std::string_view, std::string Unit::*>{"Id", &Unit::name},
    std::pair<std::string_view, std::string Unit::*>{"LoadState", &Unit::load},
    std::pair<std::string_view, std::string Unit::*>{"ActiveState", &Unit::active},
    std::pair<std::string_view, std::string Unit::*>{"UnitFileState", &Unit::file_state},
    std::pair<std::string_view, std::string Unit::*>{"Result", &Unit::result},
    std::pair<std::string_view, std::string Unit::*>{"ExecMainStatus", &Unit::exit},
    std::pair<std::string_view, std::string Unit::*>{"NRestarts", &Unit::restarts},
};

Finding unit_finding(Severity severity, std::string what, std::string why = {},
                     std::string remedy = {}) {
  return {severity, "unit", std::move(what), std::move(why), std::move(remedy)};
}

bool is_socket_unit(const Unit& unit) {
  return unit.name.ends_with(".socket");
}

Finding failed(const Unit& unit) {
  // tbsd(8): its configuration cannot be used.
  if (unit.exit == "2") {
    return unit_finding(
        Severity::Error, unit.name + " has failed: its configuration cannot be used",
        "systemd does not start it again by itself",
        "tbsd --check says what is wrong; mend it, then systemctl restart " + unit.name);
  }
  return unit_finding(Severity::Error,
                      unit.name + " has failed: " + printable(unit.result) + ", exit status " +
                          printable(unit.exit),
                      "programs have no TPM",
                      "see `journalctl -u " + unit.name + "`, then systemctl restart " + unit.name);
}

void check_unit(Findings& findings, const Unit& unit) {
  if (unit.load == "masked") {
    findings.push_back(unit_finding(Severity::Warning, unit.name + " is masked",
                                    "systemd never starts it",
                                    "systemctl unmask " + unit.name + ", if tbs is to be used"));
  } else if (unit.load == "not-found") {
    findings.push_back(unit_finding(Severity::Warning, unit.name + " is not installed",
                                    "nothing starts tbsd when a program needs it",
                                    "install the package tbsd; in a container that is as it "
                                    "should be"));
  } else if (unit.load != "loaded") {
    findings.push_back(unit_finding(Severity::Error,
                                    unit.name + " cannot be loaded: " + printable(unit.load),
                                    "systemd cannot start it", "systemctl status " + unit.name));
  } else if (unit.active == "failed") {
    findings.push_back(failed(unit));
  } else if (is_socket_unit(unit) && unit.active != "active") {
    findings.push_back(unit_finding(Severity::Error, unit.name + " is not active",
                                    "tbsd is not started when a program connects",
                                    "systemctl enable --now " + unit.name));
  } else if (is_socket_unit(unit) && unit.file_state == "disabled") {
    findings.push_back(unit_finding(Severity::Warning, unit.name + " is not enabled",
                                    "after the next boot there is no socket",
                                    "systemctl enable " + unit.name));
  } else if (!unit.restarts.empty() && unit.restarts != "0") {
    findings.push_back(unit_finding(
        Severity::Warning,
        unit.name + " was started again " + printable(unit.restarts) + " times after failures",
        "clients keep what they have, but wait each time",
        "see `journalctl -u " + unit.name + "`"));
  }
}

}  // namespace

std::vector<Unit> parse_units(const std::string& text) {
  std::vector<Unit> units;
  std::string_view rest = text;
  bool new_block = true;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      new_block = true;
      continue;
    }
    if (std::exchange(new_block, false)) units.emplace_back();
    for (const auto& [name, member] : kProperties) {
      if (line.substr(0, equals) == name) units.back().*member = line.substr(equals + 1);
    }
  }
  return units;
}

Findings check_units(const UnitFacts& facts) {
  if (!facts.has_systemd) {
    return {unit_finding(Severity::Unseen, "systemd does not run here",
                         "who starts tbsd, and whether that worked, cannot be told")};
  }
  if (!facts.unseen.empty()) return {unit_finding(Severity::Unseen, printable(facts.unseen))};
  Findings findings;
  for (const Unit& unit : facts.units) check_unit(findings, unit);
  if (findings.empty()) {
    findings.push_back(unit_finding(Severity::Fine, "tbsd's units are installed and active"));
  }
  return findings;
}

}  // namespace tbs::ctl
