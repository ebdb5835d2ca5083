#include "proto/rules/rules.h"

#include <catch2/catch.hpp>

#include "proto/rules/profiles.h"
#include "proto/rules/rules_parser.h"
#include "proto/tpm/constants.h"

using namespace tbs::rules;

namespace {

Rules rules_of(const std::string& text) {
  const std::vector<Source> sources = {{.name = "a.conf", .text = text}};
  auto rules = parse_rules(sources);
  INFO((rules ? std::string() : rules.error()));
  REQUIRE(rules.has_value());
  return *std::move(rules);
}

std::string error_of(const std::string& text) {
  const std::vector<Source> sources = {{.name = "a.conf", .text = text}};
  const auto rules = parse_rules(sources);
  REQUIRE_FALSE(rules.has_value());
  return rules.error();
}

CommandFacts question(const Rules& rules, const Subject& subject, std::uint32_t command) {
  return {.roles = roles_of(rules, subject), .command = command, .priority = 200};
}

constexpr std::uint32_t kClear = TPM2_CC_Clear;
constexpr std::uint32_t kGetRandom = TPM2_CC_GetRandom;
constexpr std::uint32_t kNvRead = TPM2_CC_NV_Read;
const Subject kRoot{.uid = 0, .administrator = true};
const Subject kAlice{.uid = 1001, .gids = {1001, 50}};

}  // namespace

TEST_CASE("the linux profile keeps users from destructive commands", "[policy][rules]") {
  const Rules rules = rules_of("");
  REQUIRE(rules.profile == "linux");
  REQUIRE_FALSE(evaluate(rules, question(rules, kAlice, kClear)).allowed);
  REQUIRE(evaluate(rules, question(rules, kRoot, kClear)).allowed);
  REQUIRE(evaluate(rules, question(rules, kAlice, kGetRandom)).allowed);
  REQUIRE(evaluate(rules, question(rules, kAlice, kClear)).rule->origin == "profile linux");
}

TEST_CASE("every profile can be read", "[policy][rules]") {
  for (const std::string name : {"linux", "windows", "none"}) {
    REQUIRE(rules_of("profile " + name).profile == name);
  }
  const Rules windows = rules_of("profile windows");
  // The one is nobody's on Windows, the other the administrator's.
  REQUIRE_FALSE(evaluate(windows, question(windows, kRoot, TPM2_CC_ContextSave)).allowed);
  REQUIRE(evaluate(windows, question(windows, kRoot, TPM2_CC_NV_DefineSpace)).allowed);
  REQUIRE_FALSE(evaluate(windows, question(windows, kAlice, TPM2_CC_NV_DefineSpace)).allowed);
  REQUIRE_FALSE(profile_text("macos").has_value());
}

TEST_CASE("the first rule that fits decides, before the profile", "[policy][rules]") {
  const Rules rules = rules_of(
      "# who may clear\n"
      "role cleaners = uid 1001, gid 77\n"
      "allow cleaners command Clear\n"
      "block everybody command getrandom  # capital or small letters\n"
      "allow everybody command GetRandom\n");
  REQUIRE(evaluate(rules, question(rules, kAlice, kClear)).allowed);
  REQUIRE(evaluate(rules, question(rules, kAlice, kClear)).rule->origin == "a.conf:3");
  REQUIRE(evaluate(rules, question(rules, {.uid = 5, .gids = {77}}, kClear)).allowed);
  REQUIRE_FALSE(evaluate(rules, question(rules, {.uid = 5, .gids = {78}}, kClear)).allowed);
  REQUIRE_FALSE(evaluate(rules, question(rules, kRoot, kGetRandom)).allowed);
}

TEST_CASE("roles by systemd unit and control group", "[policy][rules]") {
  const Rules rules = rules_of(
      "role backup = unit backup.service, cgroup /machine.slice/box\n"
      "role administrator = unit admin.service\n"
      "block backup command GetRandom\n");
  const auto blocked = [&](const Subject& subject) {
    return !evaluate(rules, question(rules, subject, kGetRandom)).allowed;
  };
  REQUIRE(blocked({.uid = 5, .unit = "backup.service"}));
  REQUIRE_FALSE(blocked({.uid = 5, .unit = "backup.service2"}));
  REQUIRE(blocked({.uid = 5, .cgroup = "/machine.slice/box"}));
  REQUIRE(blocked({.uid = 5, .cgroup = "/machine.slice/box/payload"}));
  REQUIRE_FALSE(blocked({.uid = 5, .cgroup = "/machine.slice/boxer"}));
  REQUIRE_FALSE(blocked({.uid = 5, .cgroup = "/machine.slic"}));
  REQUIRE_FALSE(blocked({}));
  REQUIRE(is_administrator(roles_of(rules, {.uid = 5, .unit = "admin.service"})));
  REQUIRE_FALSE(is_administrator(roles_of(rules, kAlice)));
}

TEST_CASE("conditions: all of a rule must fit", "[policy][rules]") {
  const Rules rules = rules_of(
      "profile none\n"
      "block user command NV_Read,0x137 nv 0x01500000-0x015000ff\n"
      "block user priority 250-299\n"
      "block user locality 1-\n"
      "block user pcr 0-7\n"
      "block user persistent 0x81000001\n");
  REQUIRE(needs_handles(rules));
  const auto allowed = [&](auto change) {
    CommandFacts asked = question(rules, kAlice, kNvRead);
    change(asked);
    return evaluate(rules, asked).allowed;
  };
  REQUIRE(allowed([](CommandFacts&) {}));
  REQUIRE_FALSE(allowed([](CommandFacts& q) { q.nv_indices = {0x01400000, 0x01500080}; }));
  REQUIRE(allowed([](CommandFacts& q) { q.nv_indices = {0x01500100}; }));
  REQUIRE(allowed([](CommandFacts& q) { q.nv_indices = {0x01500080}, q.command = kGetRandom; }));
  REQUIRE_FALSE(allowed([](CommandFacts& q) { q.priority = 250; }));
  REQUIRE(allowed([](CommandFacts& q) { q.priority = 300; }));
  REQUIRE_FALSE(allowed([](CommandFacts& q) { q.locality = 4; }));
  REQUIRE_FALSE(allowed([](CommandFacts& q) { q.pcrs = {7}; }));
  REQUIRE(allowed([](CommandFacts& q) { q.pcrs = {16}; }));
  REQUIRE_FALSE(allowed([](CommandFacts& q) { q.persistent_handles = {0x81000001}; }));
  REQUIRE_FALSE(needs_handles(rules_of("")));
}

TEST_CASE("settings", "[policy][rules]") {
  const Rules rules = rules_of("answer tpm\ndry-run yes\r\n");
  REQUIRE(rules.blocked_response == BlockedResponse::Tpm);
  REQUIRE(rules.dry_run);
}

TEST_CASE("what is wrong is told with its line", "[policy][rules]") {
  REQUIRE(error_of("profile linux\n\nprofil linux\n").starts_with("a.conf:3: 'profil'"));
  for (const char* const text : {"block",
                                 "block user",
                                 "block nobody command Clear",
                                 "block user command",
                                 "block user command Clear,",
                                 "block user command NoSuchCommand",
                                 "block user color red",
                                 "block user command Clear command Clear",
                                 "block user priority 5-4",
                                 "block user priority x",
                                 "block user priority 4294967296",
                                 "profile",
                                 "profile macos",
                                 "profile linux linux",
                                 "answer 42",
                                 "dry-run maybe",
                                 "role",
                                 "role x",
                                 "role x =",
                                 "role x = uid",
                                 "role x = uid y",
                                 "role x = uid 1 2",
                                 "role x = uid 1,",
                                 "role x = group 1",
                                 "role x = cgroup relative",
                                 "role user = uid 1",
                                 "role everybody = uid 1"}) {
    INFO(text);
    REQUIRE(error_of(text).starts_with("a.conf:1: "));
  }
}

TEST_CASE("rules are bounded", "[policy][rules]") {
  REQUIRE(error_of(std::string(kMaxText + 1, ' ')).find("larger") != std::string::npos);
  std::string many;
  for (std::size_t i = 0; i <= kMaxRules; ++i) many += "block user command Clear\n";
  REQUIRE(error_of(many).starts_with("a.conf:1001: too many"));
  std::string roles;
  for (std::size_t i = 0; i <= kMaxRoles; ++i) roles += "role r" + std::to_string(i) + " = uid 1\n";
  REQUIRE(error_of(roles).find("too many") != std::string::npos);
  std::string list = "block user command 1";
  for (std::size_t i = 0; i <= kMaxRanges; ++i) list += ",1";
  REQUIRE(error_of(list).find("too many") != std::string::npos);
}
