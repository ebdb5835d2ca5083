#pragma once

// Whether tbsd could use its configuration and rules at its next start: it says so itself.

#include <string>

#include "client/tbsctl/doctor/finding.h"
#include "client/tbsctl/doctor/run_program.h"

namespace tbs::ctl {

struct ConfigurationFacts {
  std::string path;
  bool readable = true;  // for this user; one that is not there can be read
  ProgramOutput check;   // tbsd --check
};

// `path`: of tbsd.conf, the usual one when empty.
ConfigurationFacts configuration_facts(const std::string& path);

Findings check_configuration(const ConfigurationFacts& facts);

}  // namespace tbs::ctl
