#include "client/tbsctl/doctor/client_check.h"

#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/doctor/findings.h"

using namespace tbs::ctl;
using namespace tbs::test;
namespace proto = tbs::proto;

namespace {

ContextFact client() {
  return {.entry = {.context = 7, .uid = 1000, .pid = 42, .program = "tpm2"}, .user = "alice"};
}

Findings of_client(const ContextFact& context) {
  Findings findings = check_clients({.unseen = {}, .contexts = {context}, .limits = {}});
  CHECK(are_whole(findings));
  return findings;
}

}  // namespace

TEST_CASE("doctor: clients in order", "[tbsctl][doctor]") {
  ContextFact busy = client();
  busy.entry.running = 1;
  busy.entry.running_us = 29'000'000;
  busy.entry.queued = 3;
  busy.entry.queued_bytes = 1000;
  CHECK(says(of_client(busy), Severity::Fine, "1 contexts are open"));
  CHECK(says(check_clients({.unseen = "no tbsd", .contexts = {}, .limits = {}}), Severity::Unseen,
             "no tbsd"));
}

TEST_CASE("doctor: clients that misbehave", "[tbsctl][doctor]") {
  ContextFact context = client();
  context.entry.running = 1;
  context.entry.command = TPM2_CC_Create;
  context.entry.running_us = 40'000'000;
  CHECK(says(of_client(context), Severity::Warning,
             "tpm2 (pid 42, user alice, context 7) has kept the TPM with Create for 40.0 s"));
  CHECK(of_client(context)[0].remedy.contains("tbsctl cancel 7"));
  context.entry.running = 2;
  CHECK(says(of_client(context), Severity::Note, "has cancelled Create"));
  context = client();
  context.entry.queued_bytes = 300 * 1024;
  CHECK(says(of_client(context), Severity::Warning, "does not read its answers: 300 KiB"));
  context = client();
  context.entry.queued = 32;
  CHECK(says(of_client(context), Severity::Note, "has 32 commands waiting"));
}

TEST_CASE("doctor: limits that are nearly used up", "[tbsctl][doctor]") {
  const auto used = [](std::uint64_t number, const std::string& name) {
    const LimitFact limit{.entry = {.scope = 2, .limit = 20, .used = number, .name = name},
                          .user = "alice"};
    return check_clients({.unseen = {}, .contexts = {}, .limits = {limit}});
  };
  CHECK(used(17, "objects-per-user")[0].severity == Severity::Fine);
  CHECK(says(used(18, "objects-per-user"), Severity::Warning,
             "objects-per-user: 18 of 20 are used by alice"));
  CHECK(are_whole(used(18, "objects-per-user")));
  // That is a time, and nothing is used of it.
  CHECK(used(20, "orphan-lifetime")[0].severity == Severity::Fine);
}

TEST_CASE("doctor: sessions left behind", "[tbsctl][doctor]") {
  ClientFacts facts{
      .unseen = {},
      .contexts = {},
      .limits = {{.entry = {.limit = 8, .used = 0, .name = "orphans-per-user"}, .user = "alice"},
                 {.entry = {.limit = 600, .name = "orphan-lifetime"}, .user = ""}}};
  CHECK(says(check_leftovers(facts), Severity::Fine, "no session"));
  facts.limits[0].entry.used = 3;
  CHECK(says(check_leftovers(facts), Severity::Note, "3 saved sessions of alice"));
  CHECK(check_leftovers(facts)[0].why.contains("each is kept for 10 min 0 s"));
  facts.unseen = "no tbsd";
  CHECK(says(check_leftovers(facts), Severity::Unseen, "no tbsd"));
}
