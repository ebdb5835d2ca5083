#pragma once

// What the daemon was told to do. How each setting is called and written: option_table.h.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "daemon/base/log_level.h"
#include "daemon/config/tenant.h"
#include "daemon/exec/limits.h"
#include "daemon/policy/limits.h"

namespace tbs {

enum class LogReaders : std::uint8_t { Administrators, Everyone };

// As in exec::Share; `Auto` is whichever of them what the kernel does asks for.
enum class ShareMode : std::uint8_t { Idle, Strict, Exclusive, Auto };

struct Config {
  std::string device = "/dev/tpm0";
  std::string socket = "/run/tbs/tbsd.sock";
  std::string admin_socket = "auto";
  LogLevel log_level = LogLevel::Info;
  std::string admin_group;
  std::string metrics_socket;  // empty: none
  std::string node_socket;     // the same
  std::string metrics_group;
  bool metrics_users = false;
  policy::Limits limits;
  ShareMode share = ShareMode::Idle;
  unsigned busy_poll = 50;    // microseconds
  unsigned high_share = 25;   // percent
  unsigned swap_slice = 100;  // the same
  bool keep_saved_sessions = false;
  bool embedded_keep_state = false;
  bool keep_clients = true;
  std::string event_log = "auto";
  LogReaders log_readers = LogReaders::Administrators;
  std::string ppi = "auto";
  bool raw_contexts = false;
  std::string policy_dir = "/etc/tbs/policy.d";
  std::string tenants_dir = "/etc/tbs/tenants.d";
  std::string state_dir = "/var/lib/tbs";
  unsigned lockout_window = 480;  // minutes
  unsigned lockout_per_user = 4;
  unsigned lockout_total = 9;
  bool seccomp = true;

  // Compare the handle tables with the TPM after each command: for tests, in builds with
  // assertions.
  bool check_tables = false;

  // Derived: the number of `admin_group`.
  gid_t admin_gid = 0;
  // Derived: that of `metrics_group`.
  gid_t metrics_gid = 0;
  // Derived: what the files of `tenants_dir` say.
  std::vector<Tenant> tenants;
};

}  // namespace tbs
