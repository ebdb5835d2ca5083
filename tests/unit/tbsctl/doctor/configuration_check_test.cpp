#include "client/tbsctl/doctor/configuration_check.h"

#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/doctor/findings.h"

using namespace tbs::ctl;
using namespace tbs::test;

TEST_CASE("doctor: what tbsd says of its configuration", "[tbsctl][doctor]") {
  ConfigurationFacts facts{
      .path = "/etc/tbs/tbsd.conf",
      .check = {.started = true, .in_time = true, .exit = 0, .text = "all right\n"}};
  CHECK(says(check_configuration(facts), Severity::Fine, "can use its configuration"));
  facts.check.exit = 2;
  facts.check.text = "line 3: no such option\nline 4: neither\n";
  CHECK(says(check_configuration(facts), Severity::Error,
             "cannot use its configuration: line 3: no such option; line 4: neither"));
  CHECK(are_whole(check_configuration(facts)));
  facts.check.in_time = false;
  CHECK(says(check_configuration(facts), Severity::Unseen, "did not end in time"));
  facts.check.started = false;
  CHECK(says(check_configuration(facts), Severity::Unseen, "no tbsd program"));
  facts.readable = false;
  CHECK(says(check_configuration(facts), Severity::Unseen, "cannot be read by this user"));
}

TEST_CASE("doctor: programs are run for what they print", "[tbsctl][doctor]") {
  const ProgramOutput said =
      run_program({"sh", "-c", "echo one; echo two >&2; exit 3"}, std::chrono::minutes(1));
  CHECK(said.started);
  CHECK(said.in_time);
  CHECK(said.exit == 3);
  CHECK(said.text == "one\ntwo\n");
  CHECK_FALSE(run_program({"/nonexistent/program"}, std::chrono::minutes(1)).started);
  // One that would go on for ever is ended.
  const ProgramOutput late =
      run_program({"sh", "-c", "exec sleep 1000"}, std::chrono::milliseconds(50));
  CHECK(late.started);
  CHECK_FALSE(late.in_time);
  const ProgramOutput flood = run_program({"yes"}, std::chrono::milliseconds(50));
  CHECK_FALSE(flood.in_time);
  CHECK(flood.text.size() < 200'000);
}
