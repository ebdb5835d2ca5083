#include "client/tbsctl/doctor/configuration_check.h"

#include <algorithm>

#include "client/tbsctl/text/format.h"

namespace tbs::ctl {
namespace {

Finding configuration_finding(Severity severity, std::string what, std::string why = {},
                              std::string remedy = {}) {
  return {severity, "configuration", std::move(what), std::move(why), std::move(remedy)};
}

// Several lines as one.
std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::string line;
  for (const char letter : text)
    line += letter == '\n' ? std::string("; ") : std::string(1, letter);
  return printable(line);
}

}  // namespace

Findings check_configuration(const ConfigurationFacts& facts) {
  if (!facts.readable) {
    return {configuration_finding(Severity::Unseen, facts.path + " cannot be read by this user", {},
                                  "run this as root")};
  }
  if (!facts.check.started) {
    return {configuration_finding(Severity::Unseen, "there is no tbsd program here",
                                  "in a container that is as it should be")};
  }
  if (!facts.check.in_time) {
    return {configuration_finding(Severity::Unseen, "tbsd --check did not end in time")};
  }
  if (facts.check.exit != 0) {
    return {configuration_finding(
        Severity::Error, "tbsd cannot use its configuration: " + one_line(facts.check.text),
        "it does not start with it, and a reload changes nothing",
        "mend it; tbsd --check says "
        "whether it can be used")};
  }
  return {configuration_finding(Severity::Fine, "tbsd can use its configuration and rules")};
}

}  // namespace tbs::ctl
