#include "proto/rules/rule_index.h"

#include <algorithm>
#include <set>

#include "proto/rules/conditions.h"

namespace tbs::rules {
namespace {

bool is_about(const Rule& rule, std::uint32_t command) {
  return rule.commands.empty() || std::ranges::any_of(rule.commands, [command](const Range& range) {
           return range.first <= command && command <= range.last;
         });
}

}  // namespace

RuleIndex::RuleIndex(const Rules& rules) {
  std::set<std::uint32_t> starts = {0};
  for (const Rule& rule : rules.rules) {
    for (const Range& range : rule.commands) {
      starts.insert(range.first);
      if (range.last != UINT32_MAX) starts.insert(range.last + 1);
    }
  }
  for (const std::uint32_t first : starts) {
    Segment& segment = segments_.emplace_back();
    segment.first = first;
    for (std::size_t place = 0; place < rules.rules.size(); ++place) {
      if (is_about(rules.rules[place], first)) segment.places.push_back(place);
    }
  }
}

std::span<const std::size_t> RuleIndex::about(std::uint32_t command) const {
  const auto after = std::ranges::upper_bound(segments_, command, {}, &Segment::first);
  if (after == segments_.begin()) return {};
  return std::prev(after)->places;
}

Match evaluate(const Rules& rules, const RuleIndex& index, const CommandFacts& facts) {
  for (const std::size_t place : index.about(facts.command)) {
    const Rule& rule = rules.rules[place];
    if (fits(rule, facts)) return {.allowed = rule.allow, .rule = &rule};
  }
  return {};
}

}  // namespace tbs::rules
