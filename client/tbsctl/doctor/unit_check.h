#pragma once

// What systemd says about the units of tbs. It is read without root, and not for longer than a few
// seconds.

#include <string>
#include <vector>

#include "client/tbsctl/doctor/finding.h"

namespace tbs::ctl {

// As `systemctl show` has it.
struct Unit {
  std::string name;        // "tbsd.service"
  std::string load;        // "loaded", "not-found", "masked"
  std::string active;      // "active", "inactive", "failed"
  std::string file_state;  // "enabled", "disabled"
  std::string result;      // "success", "exit-code", "signal"
  std::string exit;        // of its main process
  std::string restarts;
};

struct UnitFacts {
  bool has_systemd = false;
  std::string unseen;  // why its units could not be read; empty when they could
  std::vector<Unit> units;
};

UnitFacts unit_facts();
// The answer of `systemctl show`: one block of NAME=VALUE for each unit.
std::vector<Unit> parse_units(const std::string& text);

Findings check_units(const UnitFacts& facts);

}  // namespace tbs::ctl
