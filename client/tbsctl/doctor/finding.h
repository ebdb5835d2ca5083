#pragma once

// What `tbsctl doctor` finds. Each check is a pure function from facts to findings; the facts come
// from files named *_facts.cpp, which look at the system and decide nothing.

#include <cstdint>
#include <string>
#include <vector>

namespace tbs::ctl {

enum class Severity : std::uint8_t {
  Fine,     // as it should be
  Unseen,   // could not be looked at, and why
  Note,     // worth knowing; nothing has to be done
  Warning,  // works, but not as well or not for everybody
  Error,    // does not work
};

struct Finding {
  Severity severity;
  std::string check;   // "socket"
  std::string what;    // was found
  std::string why;     // it matters; may be empty
  std::string remedy;  // what to do; may be empty
};

using Findings = std::vector<Finding>;

}  // namespace tbs::ctl
