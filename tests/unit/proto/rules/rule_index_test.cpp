#include "proto/rules/rule_index.h"

#include <random>

#include "proto/rules/profiles.h"
#include "proto/rules/rules_parser.h"
#include "proto/tpm/constants.h"
#include "tests/support/catch2.h"

using namespace tbs::rules;

namespace {

Rules rules_of(const std::string& text) {
  const std::vector<Source> sources = {{.name = "a.conf", .text = text}};
  auto rules = parse_rules(sources);
  REQUIRE(rules.has_value());
  return *std::move(rules);
}

void check_same(const Rules& rules, const CommandFacts& facts) {
  const RuleIndex index(rules);
  const Match without = evaluate(rules, facts);
  const Match with = evaluate(rules, index, facts);
  INFO(facts.command);
  CHECK(with.allowed == without.allowed);
  CHECK(with.rule == without.rule);
}

}  // namespace

TEST_CASE("without rules everything is allowed", "[rules][index]") {
  CHECK(RuleIndex().about(1).empty());
  CHECK(evaluate(Rules{}, RuleIndex(), {.command = 1}).allowed);
}

TEST_CASE("a command is held against the rules about it", "[rules][index]") {
  const Rules rules = rules_of(
      "profile none\n"
      "block user command GetRandom\n"
      "block user locality 3\n"
      "block user command Clear\n");
  const RuleIndex index(rules);
  const auto places = [&](std::uint32_t command) {
    const auto found = index.about(command);
    return std::vector<std::size_t>(found.begin(), found.end());
  };
  CHECK(places(TPM2_CC_GetRandom) == std::vector<std::size_t>{0, 1});
  CHECK(places(TPM2_CC_Clear) == std::vector<std::size_t>{1, 2});
  CHECK(places(TPM2_CC_GetRandom - 1) == std::vector<std::size_t>{1});
  CHECK(places(TPM2_CC_GetRandom + 1) == std::vector<std::size_t>{1});
  CHECK(places(0) == std::vector<std::size_t>{1});
  CHECK(places(UINT32_MAX) == std::vector<std::size_t>{1});
}

TEST_CASE("every command is decided as without the index", "[rules][index]") {
  for (const std::string profile : {"linux", "windows", "none"}) {
    const Rules rules = rules_of("profile " + profile + "\n");
    for (const RoleSet roles : {role_bit(kUser), role_bit(kAdministrator)}) {
      for (std::uint32_t command = 0; command < 0x300; ++command) {
        check_same(rules, {.roles = role_bit(kEverybody) | roles, .command = command});
        check_same(
            rules,
            {.roles = role_bit(kEverybody) | roles, .command = 0x20000000U + command, .pcrs = {7}});
      }
    }
  }
}

TEST_CASE("so is every command with rules of any kind", "[rules][index]") {
  std::mt19937 random(7);
  const auto below = [&random](std::uint32_t bound) {
    return static_cast<std::uint32_t>(random() % bound);
  };
  for (int round = 0; round < 200; ++round) {
    Rules rules;
    for (std::uint32_t count = below(12); count > 0; --count) {
      Rule rule{.allow = below(2) == 0};
      for (std::uint32_t ranges = below(4); ranges > 0; --ranges) {
        const std::uint32_t first = below(8) == 0 ? UINT32_MAX - below(2) : below(40);
        rule.commands.push_back({first, first + std::min(below(6), UINT32_MAX - first)});
      }
      if (below(3) == 0) rule.localities.push_back({1, 2});
      rules.rules.push_back(std::move(rule));
    }
    for (std::uint32_t command = 0; command < 50; ++command) {
      check_same(rules, {.roles = role_bit(kEverybody), .command = command, .locality = below(3)});
    }
    check_same(rules, {.roles = role_bit(kEverybody), .command = UINT32_MAX});
  }
}
