#include "client/tbsctl/doctor/node_check.h"

#include <filesystem>

#include <unistd.h>

#include "tests/integration/support/temp_folder.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/doctor/findings.h"

using namespace tbs::ctl;
using namespace tbs::test;
namespace fs = std::filesystem;

namespace {

NodeFacts facts_of(std::vector<Node> nodes, std::optional<std::string> device = "/dev/tpm0") {
  return {.nodes = std::move(nodes), .sees_all = true, .device = std::move(device)};
}

Findings nodes_checked(const NodeFacts& facts) {
  Findings findings = check_nodes(facts);
  CHECK(are_whole(findings));
  return findings;
}

Findings holders_checked(const NodeFacts& facts) {
  Findings findings = check_holders(facts);
  CHECK(are_whole(findings));
  return findings;
}

}  // namespace

TEST_CASE("doctor: rights of the nodes", "[tbsctl][doctor]") {
  const Findings good =
      nodes_checked(facts_of({{"/dev/tpm0", 0660, "tss:tbs"}, {"/dev/tpmrm0", 0660, "tss:tss"}}));
  REQUIRE(good.size() == 1);
  CHECK(good[0].severity == Severity::Fine);
  CHECK(good[0].what == "/dev/tpm0 is 0660 tss:tbs, /dev/tpmrm0 is 0660 tss:tss");
  CHECK(says(nodes_checked(facts_of({{"/dev/tpm0", 0666, "tss:tbs"}})), Severity::Error,
             "/dev/tpm0 is 0666"));
  CHECK(says(nodes_checked(facts_of({{"/dev/tpmrm0", 0666, "tss:tss"}})), Severity::Warning,
             "/dev/tpmrm0 is 0666"));
  CHECK(says(nodes_checked(facts_of({{"/dev/tpm0", 0600, "root:root"}})), Severity::Warning,
             "not of the group tbs"));
  NodeFacts works = facts_of({{"/dev/tpm0", 0600, "root:root"}});
  works.device_works = true;
  CHECK(nodes_checked(works)[0].severity == Severity::Fine);
  // Where tbsd uses no node, it need not open one.
  CHECK(nodes_checked(facts_of({{"/dev/tpm0", 0600, "root:root"}}, "embedded"))[0].severity ==
        Severity::Fine);
}

TEST_CASE("doctor: no nodes", "[tbsctl][doctor]") {
  CHECK(says(nodes_checked(facts_of({})), Severity::Error, "there is no /dev/tpm0"));
  CHECK(says(nodes_checked(facts_of({}, std::nullopt)), Severity::Note, "there is no /dev/tpm0"));
  CHECK(says(nodes_checked(facts_of({}, "embedded")), Severity::Fine, "its TPM is embedded"));
}

TEST_CASE("doctor: who holds the nodes", "[tbsctl][doctor]") {
  NodeFacts facts = facts_of({});
  CHECK(says(holders_checked(facts), Severity::Fine, "nobody"));
  facts.holders = {{"/dev/tpm0", "5", "tbsd"}};
  CHECK(says(holders_checked(facts), Severity::Fine, "tbsd alone"));
  facts.holders.push_back({"/dev/tpmrm0", "6", "fwupd"});
  CHECK(says(holders_checked(facts), Severity::Note, "fwupd (pid 6) has /dev/tpmrm0 open"));
  facts.holders[0].name = "tpm2-abrmd";
  CHECK(says(holders_checked(facts), Severity::Error, "tpm2-abrmd (pid 5) holds /dev/tpm0"));
  facts = facts_of({});
  facts.sees_all = false;
  facts.suspects = {{{}, "7", "tcsd"}};
  CHECK(says(holders_checked(facts), Severity::Unseen, "these run and may: tcsd (pid 7)"));
}

TEST_CASE("doctor: nodes and holders are found", "[tbsctl][doctor]") {
  const TempFolder root;
  for (const char* const name : {"tpm0", "tpmrm0", "tpm", "tpmx", "vtpm0", "tpm1a"}) {
    fs::create_directories(root / "dev");
    write_file(root / ("dev/" + std::string(name)), "");
    fs::permissions(root / ("dev/" + std::string(name)), fs::perms(0640));
  }
  const auto process = [&](const std::string& pid, const std::string& name) {
    fs::create_directories(root / ("proc/" + pid + "/fd"));
    write_file(root / ("proc/" + pid + "/comm"), name + "\n");
    return root / ("proc/" + pid + "/fd/");
  };
  fs::create_symlink("/dev/tpm0", process("12", "tbsd") + "3");
  fs::create_symlink("/tmp/dev/tpm0", process("13", "cat") + "3");
  fs::create_symlink("/dev/tpmrm0", process("14", "a\nb") + "9");
  process("self", "nobody");
  const NodeFacts facts = node_facts(root.path(), "/dev/tpm0");
  REQUIRE(facts.nodes.size() == 2);
  CHECK(facts.nodes[0].path == "/dev/tpm0");
  CHECK(facts.nodes[0].mode == 0640);
  CHECK(facts.nodes[1].path == "/dev/tpmrm0");
  CHECK(facts.sees_all);
  REQUIRE(facts.holders.size() == 2);
  CHECK(facts.holders[0].pid == "12");
  CHECK(facts.holders[0].name == "tbsd");
  CHECK(facts.holders[1].path == "/dev/tpmrm0");
  REQUIRE(facts.suspects.size() == 1);
  CHECK(facts.suspects[0].name == "tbsd");
}

TEST_CASE("doctor: processes that cannot be looked at", "[tbsctl][doctor]") {
  const TempFolder root;
  fs::create_directories(root / "proc/12");
  write_file(root / "proc/12/comm", "tpm2-abrmd\n");
  const NodeFacts facts = node_facts(root.path(), std::nullopt);
  CHECK_FALSE(facts.sees_all);
  CHECK(facts.suspects.size() == 1);
  CHECK_FALSE(node_facts(root / "nothing", std::nullopt).sees_all);
}
