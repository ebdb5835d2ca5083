#include "client/tbsctl/doctor/socket_check.h"

#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/doctor/findings.h"

using namespace tbs::ctl;
using namespace tbs::test;

namespace {

SocketFacts everybodys() {
  return {.path = "/run/tbs/tbsd.sock",
          .chosen_by = {},
          .exists = true,
          .is_socket = true,
          .mode = 0666,
          .owner = "root:root",
          .unreachable = {},
          .daemon_version = "1.0"};
}

Findings checked(const SocketFacts& facts) {
  Findings findings = check_socket(facts, "1.0");
  CHECK(are_whole(findings));
  return findings;
}

}  // namespace

TEST_CASE("doctor: a socket in order", "[tbsctl][doctor]") {
  const Findings findings = checked(everybodys());
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].severity == Severity::Fine);
  CHECK(findings[0].what == "tbsd 1.0 answers at /run/tbs/tbsd.sock");
}

TEST_CASE("doctor: no socket to connect to", "[tbsctl][doctor]") {
  SocketFacts facts{.path = "/run/tbs/tbsd.sock"};
  CHECK(says(checked(facts), Severity::Error, "there is no socket /run/tbs/tbsd.sock"));
  CHECK(checked(facts)[0].remedy.contains("systemctl enable --now tbsd.socket"));
  facts.chosen_by = "TBS_SOCKET";
  CHECK(says(checked(facts), Severity::Error, "which TBS_SOCKET names"));
  facts.error = EACCES;
  CHECK(says(checked(facts), Severity::Error, "Permission denied"));
  CHECK(says(checked({.path = "/x", .exists = true}), Severity::Error, "/x is no socket"));
}

TEST_CASE("doctor: a socket that does not answer", "[tbsctl][doctor]") {
  SocketFacts facts = everybodys();
  facts.unreachable = "cannot reach tbsd: why";
  CHECK(says(checked(facts), Severity::Error, "cannot reach tbsd: why"));
  facts.nobody_listens = true;
  CHECK(says(checked(facts), Severity::Error, "nobody listens at /run/tbs/tbsd.sock"));
  CHECK(checked(facts).size() == 1);
}

TEST_CASE("doctor: rights of the sockets", "[tbsctl][doctor]") {
  SocketFacts facts = everybodys();
  facts.mode = 0600;
  CHECK(says(checked(facts), Severity::Warning, "is 0600 root:root"));
  // Who has chosen another socket has chosen its rights.
  facts.chosen_by = "--socket";
  CHECK(says(checked(facts), Severity::Fine, "answers"));
  facts.administrators = true;
  CHECK(says(checked(facts), Severity::Fine, "answers"));
  facts.mode = 0666;
  CHECK(says(checked(facts), Severity::Error, "is 0666 root:root"));
}

TEST_CASE("doctor: programs of two versions", "[tbsctl][doctor]") {
  SocketFacts facts = everybodys();
  facts.daemon_version = "0.9";
  CHECK(says(checked(facts), Severity::Note, "tbsd is version 0.9, tbsctl 1.0"));
}
