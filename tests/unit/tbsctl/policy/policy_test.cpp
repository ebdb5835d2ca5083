#include <nlohmann/json.hpp>

#include "client/tbsctl/command_line/command_line.h"
#include "tests/support/catch2.h"
#include "tests/unit/tbsctl/recorded_daemon.h"
#include "tests/unit/tbsctl/scratch_folder.h"

using namespace tbs::ctl;
using tbs::test::RecordedDaemon;
using tbs::test::ScratchFolder;

namespace {

struct Policy : RecordedDaemon {
  Outcome run(std::vector<std::string> words) {
    words.insert(words.begin(), {"tbsctl", "policy"});
    std::vector<const char*> arguments;
    for (const std::string& word : words) arguments.push_back(word.c_str());
    const auto line = parse_command_line(static_cast<int>(arguments.size()), arguments.data(), out);
    if (!line) return std::unexpected(line.error());
    const Console at = console((*line)->json);
    return (*line)->subcommand.run({.console = at});
  }

  ScratchFolder folder;
};

}  // namespace

TEST_CASE_METHOD(Policy, "a folder that was named must be there", "[tbsctl][policy]") {
  const std::string missing = folder.path() + "/missing";
  for (const std::vector<std::string>& words : {std::vector<std::string>{"check", "--dir", missing},
                                                {"--dir", missing, "check"},
                                                {"explain", "0", "Clear", "--dir", missing}}) {
    const auto outcome = run(words);
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().exit == Exit::Failed);
    CHECK(outcome.error().message == "cannot read " + missing + ": No such file or directory");
  }
  CHECK(run({"check", "--dir", folder.file("a", "")}).error().message.ends_with("it is no folder"));
  CHECK(run({"check", "--dir", folder.path()}).has_value());
  CHECK(out.str().starts_with(folder.path() + ": "));
}

TEST_CASE_METHOD(Policy, "what is wrong is told with its place", "[tbsctl][policy]") {
  (void)folder.file("10.conf", "profile none\nblock user command NoSuchCommand\n");
  const auto outcome = run({"check", "--dir", folder.path()});
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().message.find("10.conf:2: ") != std::string::npos);
}

TEST_CASE_METHOD(Policy, "why a file with rules cannot be read", "[tbsctl][policy]") {
  std::filesystem::create_directory(folder.path() + "/10.conf");
  const auto outcome = run({"check", "--dir", folder.path()});
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().message.ends_with("/10.conf: cannot be read: Is a directory"));
}

TEST_CASE_METHOD(Policy, "who may do what", "[tbsctl][policy]") {
  (void)folder.file("10.conf", "role staff = gid 0\nallow staff command Clear\n");
  SECTION("by number") {
    CHECK_FALSE(run({"explain", "4000000000", "TPM2_Clear", "--dir", folder.path()}).has_value());
    CHECK(out.str().starts_with("Clear: blocked (profile linux)\n"));
  }
  SECTION("a group by name") {
    CHECK(run({"explain", "4000000000", "tpm2_cc_clear", "--gid", "root", "--dir", folder.path()})
              .has_value());
  }
  SECTION("a name brings the user's groups") {
    REQUIRE(run({"explain", "root", "Clear", "--json", "--dir", folder.path()}).has_value());
    const auto roles = nlohmann::json::parse(out.str())["roles"];
    CHECK(std::ranges::count(roles, "staff") == 1);
    CHECK(std::ranges::count(roles, "administrator") == 1);
  }
}

TEST_CASE_METHOD(Policy, "which condition decided, and what else could", "[tbsctl][policy]") {
  const auto explain = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"explain", "4000000000"});
    words.insert(words.end(), {"--dir", folder.path()});
    out.str({});
    return run(words).has_value();
  };
  SECTION("the PCR") {
    CHECK_FALSE(explain({"PCR_Extend", "--handle", "7"}));
    CHECK(out.str().find("\ndecided by: command PCR_Extend, pcr 7\n") != std::string::npos);
    CHECK(out.str().find("\nrule: block user command PCR_Extend,") != std::string::npos);
    CHECK(explain({"PCR_Extend", "--handle", "23"}));
    CHECK(out.str().find("\nwith another handle or owner: block user command PCR_Extend,") !=
          std::string::npos);
  }
  SECTION("the hierarchy") {
    CHECK_FALSE(explain({"PolicySecret", "--hierarchy", "lockout"}));
    CHECK(out.str().find("\ndecided by: hierarchy lockout\n") != std::string::npos);
    CHECK(explain({"PolicySecret", "--hierarchy", "owner"}));
    CHECK_FALSE(explain({"PolicySecret", "--hierarchy", "other"}));
  }
  SECTION("the owner") {
    CHECK_FALSE(explain({"NV_UndefineSpace", "--owner", "other", "--json"}));
    const auto json = nlohmann::json::parse(out.str());
    CHECK(json["conditions"] == nlohmann::json({"command NV_UndefineSpace", "owner other"}));
    CHECK(json["statement"].get<std::string>().ends_with(" owner other"));
    CHECK(explain({"NV_UndefineSpace", "--owner", "self"}));
    CHECK_FALSE(explain({"NV_UndefineSpace", "--owner", "me"}));
  }
  SECTION("the tenant") {
    (void)folder.file("10.conf", "block user tenant web command GetRandom\n");
    CHECK_FALSE(explain({"GetRandom", "--tenant", "web"}));
    CHECK(out.str().find("\ndecided by: command GetRandom, tenant web\n") != std::string::npos);
    CHECK(out.str().find("\nroles: everybody user tenant web\n") != std::string::npos);
    CHECK(explain({"GetRandom", "--tenant", "mail"}));
  }
}
