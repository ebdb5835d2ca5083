#include "client/tbsctl/doctor/report.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;

TEST_CASE_METHOD(RecordedDaemon, "doctor: findings are printed", "[tbsctl][doctor]") {
  const Findings findings = {{Severity::Fine, "socket", "tbsd answers", {}, {}},
                             {Severity::Warning, "configuration", "bad", "matters", "mend it"}};
  print_findings(console(), findings);
  CHECK(out.str() ==
        "fine     socket         tbsd answers\n"
        "warning  configuration  bad\n"
        "                        why: matters\n"
        "                        do:  mend it\n"
        "\n"
        "0 errors, 1 warnings, 0 not seen\n");
  out.str("");
  print_findings(console(true), findings);
  const auto json = nlohmann::json::parse(out.str());
  CHECK(json["warnings"] == 1);
  CHECK(json["findings"][1] == nlohmann::json{{"severity", "warning"},
                                              {"check", "configuration"},
                                              {"what", "bad"},
                                              {"why", "matters"},
                                              {"do", "mend it"}});
}

TEST_CASE("doctor: its exit code", "[tbsctl][doctor]") {
  CHECK(verdict_of({}).has_value());
  CHECK(verdict_of({{Severity::Note, "a", "b", {}, {}}, {Severity::Unseen, "a", "b", {}, {}}})
            .has_value());
  const auto wrong = verdict_of({{GENERATE(Severity::Warning, Severity::Error), "a", "b", {}, {}}});
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().exit == Exit::Failed);
  CHECK(wrong.error().message.empty());
}
