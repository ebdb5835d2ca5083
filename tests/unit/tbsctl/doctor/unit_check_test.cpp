#include "client/tbsctl/doctor/unit_check.h"

#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/doctor/findings.h"

using namespace tbs::ctl;
using namespace tbs::test;

namespace {

Findings of_unit(const Unit& unit) {
  Findings findings = check_units({.has_systemd = true, .unseen = {}, .units = {unit}});
  CHECK(are_whole(findings));
  return findings;
}

Unit service() {
  return {.name = "tbsd.service",
          .load = "loaded",
          .active = "active",
          .file_state = "disabled",
          .result = "success",
          .exit = "0",
          .restarts = "0"};
}

Unit socket_unit() {
  return {.name = "tbsd.socket", .load = "loaded", .active = "active", .file_state = "enabled"};
}

}  // namespace

TEST_CASE("doctor: units as systemctl shows them", "[tbsctl][doctor]") {
  const auto units = parse_units(
      "Id=tbsd.service\nLoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainStatus=2\n"
      "NRestarts=7\nSomethingElse=x=y\n\nId=tbsd.socket\nLoadState=not-found\n");
  REQUIRE(units.size() == 2);
  CHECK(units[0].name == "tbsd.service");
  CHECK(units[0].active == "failed");
  CHECK(units[0].exit == "2");
  CHECK(units[0].restarts == "7");
  CHECK(units[1].name == "tbsd.socket");
  CHECK(units[1].load == "not-found");
  CHECK(parse_units("").empty());
  CHECK(parse_units("nonsense\n\n=\n").size() == 1);
}

TEST_CASE("doctor: units in order", "[tbsctl][doctor]") {
  const Findings findings =
      check_units({.has_systemd = true, .unseen = {}, .units = {service(), socket_unit()}});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::Fine);
  // The service is started by its socket: idle is in order.
  Unit idle = service();
  idle.active = "inactive";
  CHECK(of_unit(idle)[0].severity == Severity::Fine);
}

TEST_CASE("doctor: units that cannot be seen", "[tbsctl][doctor]") {
  CHECK(says(check_units({}), Severity::Unseen, "systemd does not run here"));
  CHECK(says(check_units({.has_systemd = true, .unseen = "no answer", .units = {}}),
             Severity::Unseen, "no answer"));
}

TEST_CASE("doctor: units with something wrong", "[tbsctl][doctor]") {
  Unit unit = service();
  unit.active = "failed";
  unit.result = "exit-code";
  unit.exit = "1";
  CHECK(says(of_unit(unit), Severity::Error, "has failed: exit-code, exit status 1"));
  unit.exit = "2";
  CHECK(says(of_unit(unit), Severity::Error, "its configuration cannot be used"));
  unit.load = "masked";
  CHECK(says(of_unit(unit), Severity::Warning, "is masked"));
  unit.load = "not-found";
  CHECK(says(of_unit(unit), Severity::Warning, "is not installed"));
  unit.load = "bad-setting";
  CHECK(says(of_unit(unit), Severity::Error, "cannot be loaded: bad-setting"));
  unit = service();
  unit.restarts = "4";
  CHECK(says(of_unit(unit), Severity::Warning, "started again 4 times"));
  unit = socket_unit();
  unit.file_state = "disabled";
  CHECK(says(of_unit(unit), Severity::Warning, "is not enabled"));
  unit.active = "inactive";
  CHECK(says(of_unit(unit), Severity::Error, "tbsd.socket is not active"));
}
