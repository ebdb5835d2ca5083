#include "proto/rules/rules.h"

#include "proto/rules/conditions.h"
#include "proto/rules/profiles.h"
#include "proto/rules/rules_parser.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

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
  REQUIRE_FALSE(needs_handles(rules_of("profile none")));
  REQUIRE(needs_handles(rules_of("")));
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
                                 "block user handle lockout",
                                 "block user hierarchy",
                                 "block user hierarchy owner,",
                                 "block user hierarchy 0x40000001",
                                 "block user hierarchy owner hierarchy platform",
                                 "block user owner nobody",
                                 "block user owner self owner other",
                                 "block user tenant",
                                 "block user tenant a,,b",
                                 "block user tenant a tenant b",
                                 "role x = tenant",
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

TEST_CASE("hierarchies are known by every number that they have", "[policy][rules]") {
  const Rules rules = rules_of("profile none\nblock user hierarchy lockout,platform\n");
  REQUIRE(needs_handles(rules));
  const auto blocked = [&](std::uint32_t handle) {
    CommandFacts asked = question(rules, kAlice, kNvRead);
    asked.handles = {0x80000000, handle};
    return !evaluate(rules, asked).allowed;
  };
  CHECK(blocked(TPM2_RH_LOCKOUT));
  CHECK(blocked(TPM2_RH_PLATFORM));
  // Limited to the firmware, and to a version of it.
  CHECK(blocked(0x40000142));
  CHECK(blocked(0x40030007));
  CHECK_FALSE(blocked(TPM2_RH_OWNER));
  CHECK_FALSE(blocked(TPM2_RH_ENDORSEMENT));
  CHECK_FALSE(blocked(TPM2_RH_NULL));
  CHECK_FALSE(blocked(TPM2_RH_PW));
  CHECK_FALSE(blocked(0x40000140));
  CHECK_FALSE(blocked(0x40000144));
  CHECK_FALSE(blocked(0x40010007));
  CHECK_FALSE(blocked(0x40050000));
  CHECK_FALSE(evaluate(rules, question(rules, kAlice, kNvRead)).rule);
}

TEST_CASE("rules by handle and by owner", "[policy][rules]") {
  const Rules rules = rules_of(
      "profile none\n"
      "allow user command NV_UndefineSpace nv 0x01500000 owner other\n"
      "block user owner other\n"
      "block user handle 0x40000001,0x81000000-0x81ffffff command NV_Read\n");
  REQUIRE(needs_owner(rules));
  CHECK_FALSE(needs_owner(rules_of("profile none\nblock user handle 5\n")));
  CommandFacts asked = question(rules, kAlice, TPM2_CC_NV_UndefineSpace);
  CHECK(evaluate(rules, asked).allowed);
  asked.owner = Owner::Self;
  CHECK(evaluate(rules, asked).allowed);
  asked.owner = Owner::Other;
  CHECK_FALSE(evaluate(rules, asked).allowed);
  asked.nv_indices = {0x01500000};
  CHECK(evaluate(rules, asked).allowed);
  CommandFacts read = question(rules, kAlice, kNvRead);
  read.handles = {0x81000001};
  CHECK_FALSE(evaluate(rules, read).allowed);
  read.handles = {0x80000001};
  CHECK(evaluate(rules, read).allowed);
}

TEST_CASE("tenants are roles, and a condition", "[policy][rules]") {
  const Rules rules = rules_of(
      "profile none\n"
      "role guests = tenant web, tenant mail\n"
      "block user tenant web,build command GetRandom\n"
      "block guests command NV_Read\n");
  const auto allowed = [&](const std::string& tenant, std::uint32_t command) {
    return evaluate(rules, question(rules, {.uid = 5, .tenant = tenant}, command)).allowed;
  };
  CHECK_FALSE(allowed("web", kGetRandom));
  CHECK_FALSE(allowed("build", kGetRandom));
  CHECK(allowed("mail", kGetRandom));
  CHECK(allowed("", kGetRandom));
  CHECK_FALSE(allowed("mail", kNvRead));
  CHECK(allowed("build", kNvRead));
}

TEST_CASE("what cannot be seen is blocked by what it could be, and not allowed",
          "[policy][rules]") {
  const Rules rules = rules_of(
      "profile none\nallow user pcr 16\nblock user pcr 0-15 command 0x14\nblock user nv 5 command "
      "1\n");
  CommandFacts asked = question(rules, kAlice, 0x14);
  asked.pcrs = {16};
  CHECK(evaluate(rules, asked).allowed);
  asked.pcrs = {17};
  asked.hidden = true;
  CHECK_FALSE(evaluate(rules, asked).allowed);
  CHECK(reasons(rules, *evaluate(rules, asked).rule, asked).back() == "pcr that cannot be seen");
}

TEST_CASE("the conditions that decided, and the rules that could have", "[policy][rules]") {
  const Rules rules = rules_of("");
  CommandFacts asked = question(rules, kAlice, TPM2_CC_PCR_Extend);
  const auto others = near_misses(rules, asked);
  REQUIRE(others.size() == 1);
  CHECK(others.front()->text.ends_with(" pcr 0-15,17-22,24-"));
  asked.pcrs = {7};
  const Match match = evaluate(rules, asked);
  REQUIRE(match.rule == others.front());
  CHECK(reasons(rules, *match.rule, asked) ==
        std::vector<std::string>{"command PCR_Extend", "pcr 7"});
  CHECK(near_misses(rules, asked).empty());
  CommandFacts secret = question(rules, kAlice, TPM2_CC_PolicySecret);
  secret.handles = {TPM2_RH_LOCKOUT};
  CHECK(reasons(rules, *evaluate(rules, secret).rule, secret) ==
        std::vector<std::string>{"hierarchy lockout"});
  CommandFacts undefine = question(rules, kAlice, TPM2_CC_NV_UndefineSpace);
  undefine.owner = Owner::Other;
  CHECK(reasons(rules, *evaluate(rules, undefine).rule, undefine) ==
        std::vector<std::string>{"command NV_UndefineSpace", "owner other"});
}

TEST_CASE("the linux profile leaves users the PCRs for debugging and applications",
          "[policy][rules]") {
  const Rules rules = rules_of("");
  for (const std::uint32_t command :
       {TPM2_CC_PCR_Extend, TPM2_CC_PCR_Event, TPM2_CC_PCR_Reset, TPM2_CC_EventSequenceComplete}) {
    for (std::uint32_t pcr = 0; pcr < 32; ++pcr) {
      CommandFacts asked = question(rules, kAlice, command);
      asked.pcrs = {pcr};
      CHECK(evaluate(rules, asked).allowed == (pcr == 16 || pcr == 23));
      asked.roles = roles_of(rules, kRoot);
      CHECK(evaluate(rules, asked).allowed);
    }
  }
  // Of the vendor, and of TPM 1.2 for whoever stands at the machine.
  CHECK_FALSE(evaluate(rules, question(rules, kAlice, 0x20000000)).allowed);
  CHECK_FALSE(evaluate(rules, question(rules, kAlice, 0x4000000A)).allowed);
}

TEST_CASE("only what the daemon can answer is ignored", "[policy][rules]") {
  const Rules rules = rules_of("profile none\nignore user command Startup,Shutdown,0x98,153\n");
  for (const std::uint32_t command : {0x144U, 0x145U, 0x98U, 0x99U}) {
    const Match match = evaluate(rules, question(rules, kAlice, command));
    CHECK_FALSE(match.allowed);
    CHECK(match.rule->ignore);
    CHECK(evaluate(rules, question(rules, kRoot, command)).allowed);
  }
  CHECK_FALSE(evaluate(rules_of(""), question(rules, kAlice, kClear)).rule->ignore);
  const std::string fault = "a.conf:1: what can be ignored: command Startup,Shutdown,0x98,0x99";
  CHECK(error_of("ignore user command GetRandom") == fault);
  CHECK(error_of("ignore user command Startup,Clear") == fault);
  CHECK(error_of("ignore user command Startup-Shutdown").find("is no") != std::string::npos);
  CHECK(error_of("ignore user command 0x144-0x145") == fault);
  CHECK(error_of("ignore user locality 0") == fault);
}

TEST_CASE("the linux profile ignores users who start or stop the TPM", "[policy][rules]") {
  const Rules rules = rules_of("");
  for (std::uint32_t command = 0; command < 0x200; ++command) {
    const Match match = evaluate(rules, question(rules, kAlice, command));
    CHECK((match.rule != nullptr && match.rule->ignore) == can_be_ignored(command));
  }
}
