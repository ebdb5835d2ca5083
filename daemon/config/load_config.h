#pragma once

// Reads the configuration: the command line first, then the configuration file, then defaults.
// Every option exists in both places under the same name. The rules are read with it, so that
// either all of it can be used or none.

#include <expected>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "proto/rules/rules.h"

namespace tbs {

// Of the program, when the configuration or a rule cannot be used: to start again is of no use
// (RestartPreventExitStatus= of the unit).
inline constexpr int kExitBadConfiguration = 2;

// One line of --print-config.
struct Setting {
  std::string name;
  std::string value;
  std::string origin;  // "command line", the file's path, or "default"
};

struct Loaded {
  Config config;
  rules::Rules rules;
  std::vector<Setting> settings;
};

// What to do instead of running: print `text` and exit with `exit_code` (help, version, a check, an
// error, which names the file and the line).
struct EarlyExit {
  int exit_code = 0;
  std::string text;
};

// Reads files and the group database: not to be called from the event loop.
std::expected<Loaded, EarlyExit> load_config(const std::vector<std::string>& arguments);

}  // namespace tbs
