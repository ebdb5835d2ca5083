#pragma once

// Findings as tests look at them.

#include <algorithm>
#include <string>

#include "client/tbsctl/doctor/finding.h"

namespace tbs::test {

// Those of one severity.
inline ctl::Findings of_severity(const ctl::Findings& findings, ctl::Severity severity) {
  ctl::Findings chosen;
  std::ranges::copy_if(findings, std::back_inserter(chosen),
                       [&](const ctl::Finding& each) { return each.severity == severity; });
  return chosen;
}

inline bool says(const ctl::Findings& findings, ctl::Severity severity, const std::string& what) {
  return std::ranges::any_of(findings, [&](const ctl::Finding& each) {
    return each.severity == severity && each.what.contains(what);
  });
}

// What is wrong comes with why and what to do.
inline bool are_whole(const ctl::Findings& findings) {
  return std::ranges::all_of(findings, [](const ctl::Finding& each) {
    const bool wrong =
        each.severity == ctl::Severity::Warning || each.severity == ctl::Severity::Error;
    return !each.check.empty() && !each.what.empty() &&
           (!wrong || (!each.why.empty() && !each.remedy.empty()));
  });
}

}  // namespace tbs::test
