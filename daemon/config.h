#pragma once

// What the daemon was told to do: command line first, then the configuration file, then defaults.
// Every option exists in both places under the same name.

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include <sys/types.h>

#include "daemon/policy/limits.h"
#include "daemon/policy/rules.h"

namespace tbs {

struct Config {
  std::string device = "/dev/tpm0";
  std::string socket = "/run/tbs/tbsd.sock";
  std::string log_level = "info";
  std::string admin_group;
  policy::Limits limits;
  std::string share = "idle";
  unsigned busy_poll = 50;  // microseconds
  // Compare the handle tables with the TPM after each command: for tests, in builds with
  // assertions.
  bool check_tables = false;
  std::string state_dir = "/var/lib/tbs";
  std::string event_log = "auto";
  std::string ppi = "auto";
  std::string log_readers = "administrators";
  std::string raw_contexts = "no";
  unsigned high_share = 25;
  std::string seccomp = "yes";
  bool keep_saved_sessions = false;
  std::string policy_dir = "/etc/tbs/policy.d";
  unsigned lockout_window = 480;  // minutes
  unsigned lockout_per_user = 4;
  unsigned lockout_total = 9;

  // Derived: the number of `admin_group`.
  gid_t admin_gid = 0;
};

// One line of --print-config.
struct Setting {
  std::string name;
  std::string value;
  std::string origin;  // "command line", the file's path, or "default"
};

struct Loaded {
  Config config;
  // From the folder of rules; an error names the file and the line.
  std::expected<policy::Rules, std::string> rules;
  std::vector<Setting> settings;
};

// What to do instead of running: print `text` and exit with `exit_code` (help, version, an error).
struct EarlyExit {
  int exit_code = 0;
  std::string text;
};

// Reads files and the group database: not to be called from the event loop.
std::expected<Loaded, EarlyExit> load_config(const std::vector<std::string>& arguments);

}  // namespace tbs
