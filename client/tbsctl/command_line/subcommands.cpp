#include "client/tbsctl/command_line/subcommands.h"

#include "client/tbsctl/bridge/commands.h"
#include "client/tbsctl/capture/commands.h"
#include "client/tbsctl/contexts/commands.h"
#include "client/tbsctl/doctor/commands.h"
#include "client/tbsctl/explain/commands.h"
#include "client/tbsctl/health/commands.h"
#include "client/tbsctl/lockout/commands.h"
#include "client/tbsctl/log/commands.h"
#include "client/tbsctl/maintenance/commands.h"
#include "client/tbsctl/metrics/commands.h"
#include "client/tbsctl/pcr/commands.h"
#include "client/tbsctl/policy/commands.h"
#include "client/tbsctl/presence/commands.h"
#include "client/tbsctl/status/commands.h"
#include "client/tbsctl/top/commands.h"
#include "client/tbsctl/tpm/commands.h"

namespace tbs::ctl {

std::function<Needs()> always(Needs needs) {
  return [needs] { return needs; };
}

std::vector<Subcommand> subcommands() {
  return {
      info_subcommand(),     status_subcommand(),  health_subcommand(),      doctor_subcommand(),
      contexts_subcommand(), top_subcommand(),     limits_subcommand(),      events_subcommand(),
      capture_subcommand(),  metrics_subcommand(), lockout_subcommand(),     policy_subcommand(),
      cancel_subcommand(),   submit_subcommand(),  random_subcommand(),      explain_subcommand(),
      log_subcommand(),      pcr_subcommand(),     ppi_subcommand(),         id_subcommand(),
      bridge_subcommand(),   restart_subcommand(), maintenance_subcommand(),
  };
}

}  // namespace tbs::ctl
