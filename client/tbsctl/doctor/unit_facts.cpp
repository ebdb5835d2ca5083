#include <sys/stat.h>

#include "client/tbsctl/doctor/run_program.h"
#include "client/tbsctl/doctor/unit_check.h"

namespace tbs::ctl {
namespace {

constexpr std::chrono::seconds kSystemctlTime{5};

}  // namespace

UnitFacts unit_facts() {
  UnitFacts facts;
  struct stat info{};
  // What sd_booted(3) looks at.
  facts.has_systemd = ::stat("/run/systemd/system", &info) == 0 && S_ISDIR(info.st_mode);
  if (!facts.has_systemd) return facts;
  const ProgramOutput output = run_program(
      {"systemctl", "show",
       "--property=Id,LoadState,ActiveState,UnitFileState,Result,ExecMainStatus,NRestarts",
       "tbsd.service", "tbsd.socket", "tbsd-admin.socket"},
      kSystemctlTime);
  if (!output.started) {
    facts.unseen = "systemctl cannot be run";
  } else if (!output.in_time) {
    facts.unseen = "systemctl did not answer within 5 s";
  } else if (output.exit != 0) {
    facts.unseen = "systemctl failed: " + output.text.substr(0, output.text.find('\n'));
  } else {
    facts.units = parse_units(output.text);
  }
  return facts;
}

}  // namespace tbs::ctl
